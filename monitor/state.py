"""State of the running daemon: immutable values that the web server and the exporter read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from model.anomaly.events import DetectorReading
from monitor.inference.forecast import Forecast
from monitor.queries.anomaly_scores import AnomalyScores
from monitor.queries.overview import Overview
from monitor.sampling.sampler import SourceState
from storage import AnomalyRecord, Sample


@dataclass(frozen=True)
class LiveState:
    """Result of the newest sampling cycle.

    Attributes:
        sample: the sample as stored.
        sources: state of each source of host metrics, by name.
        high_load: a high-load period is in progress; None while that is unknown.
        high_load_since: start of the period in seconds since the epoch; None while there is none.
        forecast: predictions with their attributions; None while no model serves.
        model_id: serving model; None without one.
        samples_total: samples taken since the start of the process.
        samples_missed: samples since the start that were due and not taken.
        predictions_total: predictions made since the start.
        samples_buffered: samples that wait in memory for the database.
        write_failures: failed writes of samples and predictions since the start.
    """

    sample: Sample
    sources: Mapping[str, SourceState]
    high_load: bool | None
    forecast: Forecast | None
    model_id: int | None
    samples_total: int
    samples_missed: int
    predictions_total: int
    samples_buffered: int
    write_failures: int
    high_load_since: float | None = None


@dataclass(frozen=True)
class Histogram:
    """Histogram of durations.

    Attributes:
        sum_seconds: sum of all durations.
        buckets: (upper bound in seconds, number of durations up to it), cumulative; the last bound is "+Inf".
    """

    sum_seconds: float
    buckets: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class JobState:
    """Counters of one periodic job since the start of the process.

    Attributes:
        runs: runs that have ended.
        failures: runs that raised an exception.
        missed: scheduled runs that did not take place.
        duration: duration of the runs.
        delay: time between the scheduled and the actual start of the runs.
    """

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
        reading: output for the newest row; None if there is none, for example after a gap.
        active: the anomaly event in progress; None without one.
        events: number of anomaly events in the database.
        unconfirmed: events of the last 30 days that the operator did not call incidents.
        allowed: false-alarm budget, in alarms per 30 days.
        in_maintenance: a maintenance window is in effect.
        recent_scores: anomaly scores of the last days.
    """

    metrics: tuple[str, ...]
    reading: DetectorReading | None
    active: AnomalyRecord | None
    events: int
    unconfirmed: int
    allowed: float
    in_maintenance: bool = False
    recent_scores: AnomalyScores = field(default_factory=AnomalyScores, compare=False)


@dataclass(frozen=True)
class DaemonState:
    """State of the daemon at one moment, as exposed over HTTP.

    Attributes:
        version: release of monitor.
        python: version of Python.
        live: result of the newest sampling cycle; None before the first one, and while sampling has stopped.
        overview: records of the database, at most one status refresh old.
        jobs: counters by name of the job.
        sampling: samples arrive as scheduled.
        host_metrics: metrics of the host are exposed.
        reload_successful: the newest reload of the configuration took effect.
        reloaded_at: time at which a configuration last took effect, in seconds since the epoch.
        anomaly: state of the anomaly detector; None while none runs, and while sampling has stopped.
    """

    version: str
    python: str
    live: LiveState | None = None
    overview: Overview | None = None
    jobs: Mapping[str, JobState] = field(default_factory=dict)
    sampling: bool = True
    host_metrics: bool = True
    reload_successful: bool = True
    reloaded_at: float = 0.0
    anomaly: AnomalyState | None = None
