"""Records: frozen dataclasses that repositories accept and return. A missing measurement is None, never 0."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

# Times are seconds since the epoch (UTC), durations seconds, ratios 0 to 1, rates per second, and sizes bytes.


class TrainingOutcome(StrEnum):
    """Result of a training run: model promoted, model refused by the gate, too little data, or an error."""

    PROMOTED = "promoted"
    REFUSED = "refused"
    SKIPPED = "skipped"
    FAILED = "failed"


class Verdict(StrEnum):
    """Operator's label of an anomaly event: expected behaviour, or an incident."""

    EXPECTED = "expected"
    INCIDENT = "incident"


@dataclass(frozen=True, slots=True)
class Sample:
    """Metrics of one host at one time; the metric catalogue describes each field."""

    at: float
    cpu_usage: float | None = None
    cpu_iowait: float | None = None
    cpu_steal: float | None = None
    load_per_cpu: float | None = None
    memory_usage: float | None = None
    swap_usage: float | None = None
    network_receive: float | None = None
    network_transmit: float | None = None
    network_errors: float | None = None
    network_usage: float | None = None
    disk_read: float | None = None
    disk_write: float | None = None
    disk_busy: float | None = None
    pressure_cpu: float | None = None
    pressure_memory: float | None = None
    pressure_io: float | None = None


SAMPLE_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Sample) if field.name != "at")
"""Metrics of a sample, in the order of the table's columns and of every array of samples."""

BYTE_RATE_FIELDS = frozenset({"network_receive", "network_transmit", "disk_read", "disk_write"})
"""Rates in bytes per second, rounded to whole numbers: SQLite stores a whole REAL in at most 6 bytes instead of 8.

Errors per second keep their fraction, because one error per minute matters.
"""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Prediction of high load within one horizon.

    Attributes:
        at: time of the prediction.
        horizon: length of the predicted interval, in seconds.
        model_id: ID of the model that served.
        probability: calibrated probability of high load within the horizon.
        baseline_probability: event rate of the training data for the horizon.
        threshold: probability at which a warning starts; while a warning is active, the probability below which it
            ends. 1 or above disables warnings.
        warning: True while a warning is active; always False during high load.
        high_load_since: start of the high-load period at the time of prediction; None while load is not high.
    """

    at: float
    horizon: float
    model_id: int
    probability: float
    baseline_probability: float
    threshold: float
    warning: bool = False
    high_load_since: float | None = None


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """Metadata of a registered model.

    Attributes:
        id: ID of the model, never reused.
        created_at: time of training; for the bootstrap model, time of registration.
        sha256: hexadecimal SHA-256 of the serialized model.
        size: bytes of the serialized model.
        report_json: training report as JSON text; None if the stored report is damaged.
        promoted_at: time of the last promotion; None if the model was never promoted.
    """

    id: int
    created_at: float
    sha256: str
    size: int
    report_json: str | None
    promoted_at: float | None


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """Finished training run, whatever its outcome.

    Attributes:
        started_at: start of the run.
        finished_at: end of the run.
        outcome: result of the run.
        reason: reason why no model was promoted; after a forced promotion, the overridden refusal; else empty.
        model_id: ID of the model that the run registered; None if it registered none.
        report_json: training report as JSON text; "{}" if the run wrote none, None if the stored report is damaged.
        id: 0 until the run is stored.
    """

    started_at: float
    finished_at: float
    outcome: TrainingOutcome
    reason: str
    model_id: int | None
    report_json: str | None
    id: int = 0


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """Sums over the predictions of one hour, one load state and one probability bin of width 0.1.

    Brier scores, skills, precision, recall and the reliability table are computed from these sums. p is the
    probability, b the baseline probability and y the outcome (1 if high load followed, else 0).

    Attributes:
        hour: start of the hour.
        high_load: True if load was high at the time of prediction.
        decile: number of the probability bin: 0 for probabilities below 0.1, up to 9.
        unknown: number of predictions with an unknown outcome, because of a gap; no other sum includes them.
        scored: number of predictions with a known outcome.
        events: sum of y.
        warnings: number of predictions with an active warning.
        true_warnings: number of predictions with an active warning that were followed by high load.
        probability_sum: sum of p.
        probability_squared_sum: sum of p².
        probability_event_sum: sum of p y.
        baseline_squared_sum: sum of b².
        baseline_event_sum: sum of b y.
        false_warnings: number of predictions that end a false warning; None if an earlier release did not count them.
        observed_seconds: seconds between the predictions and the ones before them; None as for `false_warnings`.
    """

    hour: float
    high_load: bool
    decile: int
    unknown: int
    scored: int
    events: int
    warnings: int
    true_warnings: int
    probability_sum: float
    probability_squared_sum: float
    probability_event_sum: float
    baseline_squared_sum: float
    baseline_event_sum: float
    false_warnings: int | None = None
    observed_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Onset:
    """Start of a high-load period.

    Attributes:
        at: seconds since the epoch.
        lead_time: seconds from the first warning to the onset; None if there was no warning.
    """

    at: float
    lead_time: float | None


@dataclass(frozen=True, slots=True)
class AnomalyRecord:
    """Anomaly event of one host.

    Attributes:
        started_at: start of the event.
        ended_at: end of the event; None while it is in progress.
        peak: anomaly score of the peak row, the row with the largest ratio to an alarm threshold; 0 to 1.
        peak_at: start of the peak row.
        channel: detector channel that started the event.
        contributions: positive contribution of each metric in the peak row; they sum to 1 up to rounding.
        model_id: ID of the model whose detector reported the event.
        verdict: the operator's label; None if there is none.
        note: the operator's explanation of the verdict; None if there is none.
        verdict_at: time of the verdict; None if there is none.
        replayed: True if detected in a replay of stored history, not by the live detector.
        id: 0 until the event is stored.
    """

    started_at: float
    ended_at: float | None
    peak: float
    peak_at: float
    channel: str
    contributions: dict[str, float]
    model_id: int
    verdict: Verdict | None = None
    note: str | None = None
    verdict_at: float | None = None
    replayed: bool = False
    id: int = 0


@dataclass(frozen=True, slots=True)
class AnomalyPeak:
    """Maximum of one score part in the half hour that starts at `at`; `channel` is the name of the score part."""

    at: float
    channel: str
    peak: float


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """Interval in which no anomaly is reported; `id` is 0 until the window is stored."""

    starts_at: float
    ends_at: float
    note: str = ""
    id: int = 0
