"""Frozen records that repositories accept and return. A missing measurement is None, never 0."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import StrEnum
from operator import attrgetter

# Times are seconds since the epoch (UTC), durations seconds, ratios and probabilities 0 to 1, rates per second, and
# sizes bytes, in all records.


class TrainingOutcome(StrEnum):
    """Result of a training run."""

    PROMOTED = "promoted"
    REFUSED = "refused"
    SKIPPED = "skipped"
    FAILED = "failed"


class Verdict(StrEnum):
    """Operator's label of an anomaly."""

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
"""Rates in bytes per second, stored as whole numbers.

SQLite stores a whole REAL in 1 to 4 bytes instead of 8, and no use of such a rate needs half
a byte per second. Errors per second keep their fraction: one error in a minute matters.
"""

_VALUES = attrgetter(*SAMPLE_FIELDS)
_IS_BYTE_RATE = tuple(name in BYTE_RATE_FIELDS for name in SAMPLE_FIELDS)


def quantize_sample(sample: Sample) -> Sample:
    """Return the sample as the database will return it, so that live and stored features are equal.

    Byte rates become whole numbers, and values that are not finite become missing.
    """
    values = zip(_VALUES(sample), _IS_BYTE_RATE, strict=True)
    return Sample(sample.at, *(_quantize(value, byte_rate) for value, byte_rate in values))


def _quantize(value: float | None, byte_rate: bool) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return float(round(value)) if byte_rate else value


@dataclass(frozen=True, slots=True)
class Prediction:
    """Prediction of high load within one horizon.

    Attributes:
        at: time of the prediction.
        horizon: length of the predicted interval, in seconds.
        model_id: the model that made it.
        probability: calibrated probability of high load within the horizon.
        baseline_probability: base rate of the training data.
        threshold: probability from which a warning starts, or below which it ends; 1 or above never warns.
        warning: True while a warning is active; never during high load.
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
    """Registered model without its bytes.

    Attributes:
        id: its id, never reused.
        created_at: time of its registration.
        sha256: checksum of its bytes.
        size: number of its bytes.
        report_json: its training report as JSON text.
        promoted_at: time from which it first served; None if it never did.
    """

    id: int
    created_at: float
    sha256: str
    size: int
    report_json: str
    promoted_at: float | None


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One training run.

    Attributes:
        started_at: time of its start.
        finished_at: time of its end.
        outcome: its result.
        reason: explanation for people if no model was promoted; empty otherwise.
        model_id: id of the registered model, or None.
        report_json: the training report as JSON text; "{}" if the run ended before there was one.
        id: 0 until it is stored.
    """

    started_at: float
    finished_at: float
    outcome: TrainingOutcome
    reason: str
    model_id: int | None
    report_json: str
    id: int = 0


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """Sums over the scored predictions of one hour, one load state and one decile of probability.

    With p the probability, b the baseline probability and y the outcome (1 if high load followed, else 0), these
    sums yield Brier scores, skills, precision, recall and the reliability table.

    Attributes:
        hour: start of the hour.
        high_load: load state at the time of prediction.
        decile: 0 for probabilities below 0.1, up to 9.
        unknown: predictions whose outcome is unknown because of a gap; they count nowhere else.
        scored: predictions with a known outcome.
        events: sum of y.
        warnings: predictions that were warnings.
        true_warnings: warnings that high load followed.
        probability_sum: sum of p.
        probability_squared_sum: sum of p².
        probability_event_sum: sum of p y.
        baseline_squared_sum: sum of b².
        baseline_event_sum: sum of b y.
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


@dataclass(frozen=True, slots=True)
class Onset:
    """Start of a high-load period; `lead_time` is that of the first warning before it, None without a warning."""

    at: float
    lead_time: float | None


@dataclass(frozen=True, slots=True)
class AnomalyRecord:
    """Anomaly event of one host.

    Attributes:
        started_at: time of its start.
        ended_at: time of its end; None while it is in progress.
        peak: largest anomaly score, 0 to 1.
        peak_at: time of that score.
        channel: channel of the evidence that started it.
        contributions: contribution of each metric at the peak; they sum to 1.
        model_id: the model whose detector reported it.
        verdict: the operator's label; None without one.
        note: the operator's note.
        verdict_at: time of the verdict.
        replayed: True if found in a replay of imported history, not by the live detector.
        id: 0 until it is stored.
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
    """Largest evidence of one channel within one half hour."""

    at: float
    channel: str
    peak: float


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """Interval in which no anomaly is reported; `id` is 0 until it is stored."""

    starts_at: float
    ends_at: float
    note: str = ""
    id: int = 0
