"""State of the running daemon: immutable values for the web server and the exporter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from model.anomaly.events import DetectorReading
from monitor.config.loader import Config
from monitor.inference.forecast import Forecast
from monitor.queries.anomaly_scores import AnomalyScores
from monitor.queries.capacity import CapacityState
from monitor.queries.overview import Overview
from monitor.sampling.sampler import SourceState
from monitor.sampling.storage_state import StorageState
from storage import AnomalyRecord, Sample


@dataclass(frozen=True)
class LiveState:
    """Result of the newest sampling cycle.

    Attributes:
        sample: sample of the cycle, rounded to the precision of the database.
        sources: result of the last reading for each source name.
        high_load: True during a high-load period as of the newest forecast; None if the state is unknown.
        high_load_since: start of the high-load period in seconds since the epoch; None if no period is in progress.
        forecast: newest predictions with their attributions; None if no model serves, or the sample has no value of
            any metric in the high-load rules.
        model_id: ID of the serving model; None if no model serves.
        samples_total: number of samples taken since the start of the process.
        samples_missed: number of samples that were due since the start, but not taken.
        predictions_total: number of predictions made since the start.
    """

    sample: Sample
    sources: Mapping[str, SourceState]
    high_load: bool | None
    forecast: Forecast | None
    model_id: int | None
    samples_total: int
    samples_missed: int
    predictions_total: int
    high_load_since: float | None = None


@dataclass(frozen=True)
class Histogram:
    """Histogram of durations.

    Attributes:
        sum_seconds: sum of all durations.
        buckets: pairs of upper bound in seconds and number of durations up to that bound; the last bound is "+Inf".
    """

    sum_seconds: float
    buckets: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class JobState:
    """Counters of one periodic job since the start of the process.

    Attributes:
        runs: number of completed runs, failed runs included.
        failures: number of runs that raised an exception.
        missed: number of scheduled runs that did not take place.
        duration: durations of the runs.
        delay: delays between the scheduled and the actual starts.
        cpu_seconds: processor time of the runs in the thread of the job, failed runs included.
        last_success_at: end of the last run without an exception, in seconds since the epoch; None before it.
        hung: True if a run takes longer than its deadline, or if the runs have stopped.
        hung_since: while hung, the start of the run in progress, or the end of the last run, in seconds since the
            epoch; otherwise None.
    """

    runs: int
    failures: int
    missed: int
    duration: Histogram
    delay: Histogram
    cpu_seconds: float = 0.0
    last_success_at: float | None = None
    hung: bool = False
    hung_since: float | None = None


@dataclass(frozen=True)
class AnomalyState:
    """Live state of the anomaly detector.

    Attributes:
        metrics: names of the metrics that the detector monitors.
        reading: detector output for the newest row; None if that row has no output, for example after a gap.
        active: anomaly event in progress; None if there is none.
        events: number of anomaly events in the database.
        unconfirmed: number of live events that started in the last 30 days and whose verdict is not "incident".
        allowed: false-alarm budget: number of false alarms allowed in 30 days.
        in_maintenance: True during a maintenance window.
        recent_scores: anomaly scores of the last 7 days.
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
class ChannelState:
    """State of one channel of the notifications.

    Attributes:
        pending: number of notifications that wait for their delivery.
        outcomes: number of outcomes since the start of the daemon, for each outcome.
        last_success_at: time of the last delivery, in seconds since the epoch; None before it.
        last_failure_at: time of the last failed attempt, in seconds since the epoch; None before it.
    """

    pending: int
    outcomes: Mapping[str, int]
    last_success_at: float | None = None
    last_failure_at: float | None = None


@dataclass(frozen=True)
class DaemonState:
    """State of the daemon at one moment, as exposed over HTTP.

    Attributes:
        version: release of monitor.
        python: version of Python.
        live: result of the newest sampling cycle; None before the first cycle and while sampling has stopped.
        overview: summary of the database as of the last status refresh; None before the first refresh.
        jobs: counters and histograms for each job name.
        sampling: False if no sample was taken for `max_sample_age`.
        host_metrics: True if the host metrics (`monitor_host_*`) are exposed.
        reload_successful: True if the last reload of the configuration took effect.
        reloaded_at: time at which a configuration last took effect, in seconds since the epoch.
        reload_failures: number of failed reloads since the start.
        anomaly: state of the anomaly detector; None if no detector runs or sampling has stopped.
        log_lines_dropped: number of log lines that could not be written since the start.
        storage: state of the writes to the database.
        config: configuration in effect.
        channels: state of each channel of the notifications.
        capacity: predictions of exhausted capacity; None before the first run of their job.
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
    reload_failures: int = 0
    anomaly: AnomalyState | None = None
    log_lines_dropped: int = 0
    storage: StorageState = field(default_factory=StorageState)
    config: Config = field(default_factory=Config)
    channels: Mapping[str, ChannelState] = field(default_factory=dict)
    capacity: CapacityState | None = None
