"""Records of the fleet; times in seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class FleetHost:
    """Host of a fleet.

    Attributes:
        host: value of the host label.
        first_seen: time of its first sample.
        last_seen: time of its newest sample.
    """

    host: str
    first_seen: float
    last_seen: float


@dataclass(frozen=True, slots=True)
class HostPrediction:
    """Newest prediction of one host for one horizon.

    Attributes:
        host: value of the host label.
        horizon: seconds.
        at: time of the prediction.
        probability: probability of high load within the horizon.
        base_rate: usual probability; None if it is unknown.
        threshold: probability at which a warning starts.
        warning: True while a warning is active.
        high: True during high load.
        model: name of the serving model.
    """

    host: str
    horizon: float
    at: float
    probability: float
    base_rate: float | None
    threshold: float
    warning: bool
    high: bool
    model: str


@dataclass(frozen=True, slots=True)
class FleetWarning:
    """Warning of one host for one horizon; host, horizon and start identify it.

    Attributes:
        host: value of the host label.
        horizon: seconds.
        started_at: start of the warning.
        ended_at: end of the warning; None while it is active.
        probability: probability at the start.
        peak: largest probability.
    """

    host: str
    horizon: float
    started_at: float
    ended_at: float | None
    probability: float
    peak: float


@dataclass(frozen=True, slots=True)
class FleetScore:
    """Score totals of one host and horizon: counts and sums over predictions whose horizon has passed.

    Attributes:
        host: value of the host label.
        horizon: seconds.
        hour: start of the hour of the predictions, or of the day if the hours were merged.
        unknown: number of predictions with an unknown outcome.
        scored: number of predictions with a known outcome.
        events: number of scored predictions without high load that high load followed within the horizon.
        warnings: number of scored predictions without high load while a warning was active.
        true_warnings: number of them that high load followed.
        outcome_sum: number of scored predictions that high load followed, or during which load stayed high.
        brier_sum: sum of the squared errors of the probabilities.
        baseline_brier_sum: sum of the squared errors of the base rates.
    """

    host: str
    horizon: float
    hour: float
    unknown: int
    scored: int
    events: int
    warnings: int
    true_warnings: int
    outcome_sum: int
    brier_sum: float
    baseline_brier_sum: float


SCORE_SUMS = tuple(field.name for field in fields(FleetScore))[3:]
"""Names of the counts and sums of a `FleetScore`."""


@dataclass(frozen=True)
class FleetChange:
    """Change of the stored fleet, written in one transaction.

    Attributes:
        hosts: new hosts, and hosts with a later `last_seen`.
        warnings: new and changed warnings.
        scores: totals to add to the stored ones.
        predictions: newest predictions of all hosts, which replace the stored ones; None to keep those.
    """

    hosts: tuple[FleetHost, ...] = ()
    warnings: tuple[FleetWarning, ...] = ()
    scores: tuple[FleetScore, ...] = ()
    predictions: tuple[HostPrediction, ...] | None = None
