"""Fleet documents: hosts with their predictions, and the status of the fleet process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.documents.status.parts import ChannelStatus


@dataclass(frozen=True)
class HostForecastDocument:
    """Newest prediction of one host for one horizon.

    Attributes:
        horizon: seconds.
        probability: probability of high load within the horizon.
        baseline_probability: usual probability; None if it is unknown.
        warning_threshold: probability at which a warning starts.
        warning: True while a warning is active.
        warning_since: start of the active warning, in seconds since the epoch; None without a warning.
    """

    horizon: float
    probability: float
    baseline_probability: float | None
    warning_threshold: float
    warning: bool
    warning_since: float | None


@dataclass(frozen=True)
class FleetHostDocument:
    """Host of a fleet.

    Attributes:
        host: value of the host label.
        last_seen: time of the newest sample, in seconds since the epoch.
        stale: True if the newest steps have no sample; the host has no predictions then.
        high_load: True during high load.
        warning: True while a warning is active for any horizon.
        model: serving model: "pretrained", "pooled" or "own".
        risk: probability for the middle horizon, by which hosts are ranked; None without a prediction.
        predictions: one per horizon; empty while the host has none.
    """

    host: str
    last_seen: float
    stale: bool
    high_load: bool
    warning: bool
    model: str
    risk: float | None
    predictions: tuple[HostForecastDocument, ...]


@dataclass(frozen=True)
class FleetDocument:
    """Hosts of a fleet that match a query, one page of them.

    Attributes:
        at: newest step, in seconds since the epoch; None before the first one.
        risk_horizon: horizon of the risk in seconds; None before the first prediction.
        total: number of hosts.
        matched: number of hosts that match.
        offset: number of matching hosts before the first one of the page.
        limit: largest number of hosts of the page.
        hosts: hosts of the page.
    """

    at: float | None
    risk_horizon: float | None
    total: int
    matched: int
    offset: int
    limit: int
    hosts: tuple[FleetHostDocument, ...]


@dataclass(frozen=True)
class FleetWarningDocument:
    """Warning of one host for one horizon.

    Attributes:
        host: value of the host label.
        horizon: seconds.
        started_at: seconds since the epoch.
        ended_at: seconds since the epoch; None while the warning is active.
        probability: probability at the start.
        peak: largest probability.
    """

    host: str
    horizon: float
    started_at: float
    ended_at: float | None
    probability: float
    peak: float


@dataclass(frozen=True)
class FleetScoreDocument:
    """Scores of the predictions for one horizon.

    Attributes:
        horizon: seconds.
        scored: number of predictions with a known outcome.
        unknown: number of predictions with an unknown outcome.
        high_load_share: fraction of the scored predictions that high load followed; None without any.
        brier: Brier score, from 0 (best) to 1; None without scored predictions.
        brier_skill: Brier skill over the base rates; None if it is undefined.
        precision: fraction of the warnings that high load followed; None without warnings.
        recall: fraction of the predictions before an onset that were warnings; None without an onset.
    """

    horizon: float
    scored: int
    unknown: int
    high_load_share: float | None
    brier: float | None
    brier_skill: float | None
    precision: float | None
    recall: float | None


@dataclass(frozen=True)
class FleetReportDocument:
    """Scores and warnings of a fleet.

    Attributes:
        since: start of the period, in seconds since the epoch.
        host: the host; None for all hosts.
        horizons: scores, one per horizon.
        warnings: warnings that started in the period, newest first, at most 1,000.
    """

    since: float
    host: str | None
    horizons: tuple[FleetScoreDocument, ...]
    warnings: tuple[FleetWarningDocument, ...]


@dataclass(frozen=True)
class FleetHostDetailsDocument:
    """Host of a fleet with its newest sample, recent probabilities, warnings and scores.

    Attributes:
        host: the host.
        at: newest step of the fleet, in seconds since the epoch; None before the first one.
        step: seconds between samples.
        risk_horizon: horizon of `recent` in seconds; None before the first prediction.
        values: newest sample by field, without missing values; empty if only the database was read.
        recent: probability for the middle horizon at the newest steps, oldest first; None without a prediction.
        warnings: warnings of the last 30 days, newest first.
        scores: scores of the last 7 days, one per horizon.
    """

    host: FleetHostDocument
    at: float | None
    step: float
    risk_horizon: float | None
    values: Mapping[str, float]
    recent: tuple[float | None, ...]
    warnings: tuple[FleetWarningDocument, ...]
    scores: tuple[FleetScoreDocument, ...]


@dataclass(frozen=True)
class FleetSourceDocument:
    """Source of a fleet.

    Attributes:
        url: URL of the server, without credentials.
        available: True if the newest read succeeded; None before the first read.
        error: error of the newest read; None if it succeeded.
        failing_since: first failure since the newest success, in seconds since the epoch; None without a failure.
        succeeded_at: newest successful read, in seconds since the epoch; None before the first one.
        reads: number of steps that were read since the start.
        errors: number of failed reads since the start.
        filled_steps: number of missed steps that were filled later.
        lost_steps: number of missed steps that could not be filled.
    """

    url: str
    available: bool | None
    error: str | None
    failing_since: float | None
    succeeded_at: float | None
    reads: int
    errors: int
    filled_steps: int
    lost_steps: int


@dataclass(frozen=True)
class FleetStatusDocument:
    """Status of the fleet process; counters are since its start.

    Attributes:
        version: release of monitor.
        running: True if the process runs.
        started_at: start of the process, in seconds since the epoch; None if only the database was read.
        at: newest step, in seconds since the epoch; None before the first one.
        step: seconds between samples.
        working: True while the cycle runs; None if only the database was read.
        hosts: number of hosts.
        predicted: number of hosts with a current prediction.
        stale: number of hosts without a sample in the newest steps.
        pending: number of hosts whose histories are still to be read.
        high_load: number of hosts with high load.
        warning: number of hosts with an active warning.
        models: number of hosts by serving model.
        source: source of the samples; None if only the database was read.
        cycle_seconds: duration of the newest cycle; None before it.
        hung_jobs: names of the jobs that hang.
        database: URL of the database, without credentials.
        storage_error: error of the newest write to the database; None if it succeeded.
        notifications: state of each notification channel, as of the database.
    """

    version: str
    running: bool
    started_at: float | None
    at: float | None
    step: float
    working: bool | None
    hosts: int
    predicted: int
    stale: int
    pending: int
    high_load: int
    warning: int
    models: Mapping[str, int]
    source: FleetSourceDocument | None
    cycle_seconds: float | None
    hung_jobs: tuple[str, ...]
    database: str
    storage_error: str | None
    notifications: tuple[ChannelStatus, ...] = ()
