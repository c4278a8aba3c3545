"""The currency at the border: frozen records of what the database keeps.

A field that could not be measured is None: missing, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

Outcome = Literal["promoted", "refused", "skipped", "failed"]
Judgement = Literal["expected", "incident"]


@dataclass(frozen=True, slots=True)
class Sample:
    """What one host was doing at one moment.

    `at` is seconds since the epoch, UTC. Ratios are 0 to 1, rates per second, sizes in bytes.
    """

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
"""The metrics of a sample, in the order of its columns everywhere."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One horizon of one prediction, as it was made.

    `horizon` is in seconds; `baseline_probability` is how often high load followed within it in the training
    data; `threshold` is the probability that a warning needs (1 or above: never warns).
    """

    at: float
    horizon: float
    model_id: int
    probability: float
    baseline_probability: float
    threshold: float


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A registered model without its bytes. `report` is plain JSON data; `promoted_at` None: never served."""

    id: int
    created_at: float
    sha256: str
    size: int
    report: dict[str, Any]
    promoted_at: float | None


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One attempt to train, whatever came of it. `reason` says why it was not promoted."""

    started_at: float
    finished_at: float
    outcome: Outcome
    reason: str
    model_id: int | None
    report: dict[str, Any]
    id: int = 0


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A stretch of time at which a host did not behave as it does.

    `ended_at` None: it goes on. `peak` is the largest score (0 to 1), at `peak_at`; `channel` says what kind of
    evidence began it; `shares` by metric add up to 1. `judgement` is the operator's word, None while there is none.
    """

    began_at: float
    ended_at: float | None
    peak: float
    peak_at: float
    channel: str
    shares: dict[str, float]
    model_id: int
    judgement: Judgement | None = None
    note: str | None = None
    judged_at: float | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A stretch of time, in seconds since the epoch, at which nothing is called an anomaly."""

    begins_at: float
    ends_at: float
    note: str = ""
    id: int = 0
