"""What the daemon knows of itself at one moment, as one immutable value.

The live part comes from each tick, the records from the database every few seconds; a scrape, a probe and a page
all read the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from model.anomaly.online_detector import DetectorReading
from model.array_types import Floats
from monitor.inference.served_model import Forecast
from monitor.queries.status import Overview
from monitor.sampling.sampler import SourceState
from monitor.stores import is_warning
from monitor.system.formatting import approximate_duration, format_percent
from storage import Anomaly, Sample


@dataclass(frozen=True)
class Live:
    """What the last tick saw. Counters are since the start of this process."""

    sample: Sample
    sources: Mapping[str, SourceState]
    high_load: bool | None
    forecast: Forecast | None
    model_id: int | None
    samples_total: int
    samples_missed: int
    predictions_total: int
    buffered: int
    write_failures: int


@dataclass(frozen=True)
class Histogram:
    """Lengths of time. `buckets` holds (upper bound in seconds, how many were at most that long), cumulative."""

    seconds: float
    buckets: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class JobState:
    """Runs of one job: how long they took, and how long after their turn they began."""

    runs: int
    failures: int
    missed: int
    duration: Histogram
    delay: Histogram


@dataclass(frozen=True)
class AnomalyState:
    """Live state of the anomaly detector.

    Attributes:
        metrics: names of the metrics that the detector monitors.
        reading: output for the newest row; None while there is none, as after a gap.
        active: the anomaly event in progress; None without one.
        events: number of anomaly events in the database.
        unconfirmed: events of the last 30 days that the operator did not call incidents.
        allowed: false-alarm budget, in alarms per 30 days.
        in_maintenance: a maintenance window is in effect.
        recent_scores: (rows, 3) of the last days: time in seconds, score, largest ratio to an alarm threshold.
    """

    metrics: tuple[str, ...]
    reading: DetectorReading | None
    active: Anomaly | None
    events: int
    unconfirmed: int
    allowed: float
    in_maintenance: bool = False
    recent_scores: Floats = field(default_factory=lambda: np.empty((0, 3)), compare=False)


@dataclass(frozen=True)
class Status:
    """Everything that is exposed. `live` is None before the first sample, and again when it is too old."""

    version: str
    python: str
    live: Live | None = None
    overview: Overview | None = None
    jobs: Mapping[str, JobState] = field(default_factory=dict)
    turning: bool = True
    host_metrics: bool = True
    reload_successful: bool = True
    reload_at: float = 0.0
    anomaly: AnomalyState | None = None


def model_line(live: Live | None, overview: Overview | None) -> str:
    """Whether a model serves, and if not, what it waits for."""
    waiting = overview.waiting_for if overview else ""
    if live is not None and live.model_id is not None:
        learning = f" until there is one of this host: {waiting}" if waiting else ""
        return f"model {live.model_id} serves{learning}"
    return f"no model serves yet: {waiting}" if waiting else "no model serves yet"


def summary(live: Live, overview: Overview | None) -> str:
    """One line: is it sampling, which model serves, what is predicted."""
    parts = ["sampling", model_line(live, overview)]
    if live.buffered:
        parts.insert(1, f"{live.buffered} samples wait for the database")
    if live.forecast is not None:
        said = (
            f"{format_percent(p.probability)} within {approximate_duration(p.horizon)}"
            f"{' (warning)' if is_warning(p) else ''}"
            for p in live.forecast.predictions
        )
        parts.append(f"high load: {', '.join(said)}")
    return "; ".join(parts)
