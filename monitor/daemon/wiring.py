"""Composition root: builds the objects that depend on configuration and database."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from model.units import HOUR, MINUTE
from monitor.config.loader import Config
from monitor.daemon.object_cache import ObjectCache
from monitor.daemon.scheduler import NOTIFIER, Job
from monitor.daemon.state import StateHolder
from monitor.daemon.storage import DaemonStorage
from monitor.inference.registry_follower import RegistryFollower
from monitor.inference.served_model import ServedModel
from monitor.jobs.anomaly_detection import AnomalyDetectionJob
from monitor.jobs.capacity import CapacityJob
from monitor.jobs.compaction import CompactionJob
from monitor.jobs.database_follow_up import DatabaseFollowUp
from monitor.jobs.model_salvage import ModelSalvageJob
from monitor.jobs.process_recorder import ProcessRecorder
from monitor.jobs.recalibration import RecalibrationJob
from monitor.jobs.retention import RetentionJob
from monitor.jobs.retraining import RetrainingJob, Trainer
from monitor.jobs.scoring import ScoringJob, scoring_interval
from monitor.jobs.status_refresh import StatusRefreshJob
from monitor.queries.history import HistoryReader
from monitor.queries.scorecard import ScorecardReader
from monitor.sampling.sources import Source, make_sources
from monitor.stores import Stores
from monitor.training.bootstrap_model import fitted_model_serves
from monitor.training.coverage import HistoryCoverage
from monitor.training.schedule import ServingState
from monitor.web import StoredDocuments

STATUS_REFRESH_INTERVAL = MINUTE
RETRAINING_INTERVAL = 30.0
MODEL_SALVAGE_INTERVAL = 15.0
RECALIBRATION_INTERVAL = MINUTE
RETENTION_INTERVAL = HOUR
COMPACTION_INTERVAL = 5 * MINUTE
CAPACITY_INTERVAL = 5 * MINUTE
ANOMALY_DETECTION_INTERVAL = MINUTE
"""Intervals of the jobs in seconds; a run does nothing if there is nothing to do."""

MAX_NOTIFICATION_INTERVAL = 5.0
"""Longest interval of the notifications in seconds; they follow each sample."""

JOB_OFFSET = 0.5
"""Seconds by which the jobs are later than the samples."""

LONG_DEADLINE = 900.0
"""Deadline in seconds of the jobs that may have to catch up on weeks of history."""


@dataclass(frozen=True)
class Services:
    """Objects that depend on the configuration and the open database; a reload replaces those that have changed.

    Attributes:
        jobs: all jobs except for the sampling cycle.
        sources: sources of the samples.
        served: serving model.
        process_recorder: recorder of the processes at the start of warnings and anomalies.
        records: reader of the database for the page and the API.
        before_sample: called by the storage writer shortly before each sample with a forecast.
        refresh: reads the overview of the database and publishes it.
    """

    jobs: tuple[Job, ...]
    sources: tuple[Source, ...]
    served: ServedModel
    process_recorder: ProcessRecorder
    records: StoredDocuments
    before_sample: Callable[[], None]
    refresh: Callable[[], None]


class RetrainingConditions:
    """Conditions of a retraining: evaluated from the database and the serving model."""

    def __init__(self, config: Config, stores: Stores, coverage: HistoryCoverage, served: ServedModel) -> None:
        self._config = config
        self._coverage = coverage
        self._stores = stores
        self._served = served

    @property
    def fallback_active(self) -> bool:
        """True if a fallback serves for any horizon."""
        return self._served.fallback_active

    def has_enough_history(self, now: float) -> bool:
        """Return True if the samples before `now` (seconds since the epoch) suffice for a training run."""
        needed = self._config.training.min_history
        return self._coverage.seconds(now, needed) >= needed

    def serving(self) -> ServingState:
        """Return the kind of predictor that serves; NO_FITTED_MODEL also if the active model cannot be loaded."""
        if self._served.load_failed or not fitted_model_serves(self._stores):
            return ServingState.NO_FITTED_MODEL
        return ServingState.FALLBACK if self._served.fallback_active else ServingState.MODEL


def build_services(
    config: Config,
    storage: DaemonStorage,
    holder: StateHolder,
    trainer: Trainer,
    cache: ObjectCache,
    clock: Callable[[], float] = time.time,
) -> Services:
    """Build the objects that depend on the configuration and the database, without an effect on the running ones.

    Args:
        config: configuration.
        storage: database, which may be unavailable.
        holder: state of the daemon, to which the jobs publish.
        trainer: trainer process, which may be running.
        cache: objects of the previous configuration, which are used again if their inputs are the same.
        clock: returns the current time in seconds since the epoch.
    """
    stores = storage.stores
    interval = config.sampling.interval
    coverage = HistoryCoverage(stores, config)
    status_refresh = StatusRefreshJob(stores, config, coverage, holder.publish_overview, clock)
    served = cache.get("served", (stores, config.rules, interval), lambda: ServedModel(config.rules, interval))
    follower = cache.get("follower", (stores, served), lambda: _started_follower(storage, served, clock))
    retraining = RetrainingJob(
        config=config,
        runs=stores.runs,
        conditions=RetrainingConditions(config, stores, coverage, served),
        on_end=status_refresh.run,
        trainer=trainer,
        clock=clock,
    )
    follow_up = DatabaseFollowUp(
        config=config,
        stores=stores,
        served=served,
        follower=follower,
        status_refresh=status_refresh,
        generation=storage.open_generation,
        clock=clock,
    )
    recalibration = cache.get("recalibration", (stores, served), lambda: RecalibrationJob(stores, served, clock))
    process_recorder = cache.get(
        "process_recorder", (stores, config.events), lambda: ProcessRecorder(stores, config.events, clock)
    )
    anomaly_detection = cache.get(
        "anomaly_detection",
        (stores, config.anomaly, interval, process_recorder),
        lambda: AnomalyDetectionJob(
            stores, config.anomaly, interval, holder.publish_anomaly, process_recorder.anomaly_started, clock
        ),
    )
    model_salvage = ModelSalvageJob(stores, config, lambda: follow_up.followed_generation, time.time)
    scoring_every = scoring_interval(config.high_load.horizons)
    scoring = ScoringJob(stores, lambda: served.rules, interval, clock)
    retention = RetentionJob(stores, config.storage.retention, interval, clock)
    compaction = cache.get("compaction", (stores,), lambda: CompactionJob(stores, clock))
    return Services(
        jobs=(
            # No job starts together with a sample. Common start times wake the process less often.
            Job("anomaly_detection", ANOMALY_DETECTION_INTERVAL, anomaly_detection.run, offset=JOB_OFFSET),
            Job("retraining", RETRAINING_INTERVAL, retraining.run, offset=JOB_OFFSET),
            Job("status_refresh", STATUS_REFRESH_INTERVAL, status_refresh.run, offset=JOB_OFFSET),
            Job(
                "model_salvage", MODEL_SALVAGE_INTERVAL, model_salvage.run, offset=JOB_OFFSET, deadline=LONG_DEADLINE
            ),
            Job("scoring", scoring_every, scoring.run, offset=JOB_OFFSET, deadline=LONG_DEADLINE),
            Job(
                "recalibration", RECALIBRATION_INTERVAL, recalibration.run, offset=JOB_OFFSET, deadline=LONG_DEADLINE
            ),
            Job("retention", RETENTION_INTERVAL, retention.run, offset=JOB_OFFSET, deadline=LONG_DEADLINE),
            Job("compaction", COMPACTION_INTERVAL, compaction.run, offset=JOB_OFFSET, deadline=LONG_DEADLINE),
            *_capacity_jobs(config, stores, holder, cache, clock),
            *_notification_jobs(config, stores, holder, cache, clock),
        ),
        sources=cache.get(
            "sources",
            (config.sampling.sources, config.sampling.network_exclude),
            lambda: make_sources(config.sampling.sources, config.sampling.network_exclude),
        ),
        served=served,
        process_recorder=process_recorder,
        records=StoredDocuments(
            stores,
            HistoryReader(stores, lambda: served.rules, interval),
            ScorecardReader(stores, lambda: served.rules, interval),
            clock,
        ),
        before_sample=follow_up.run,
        refresh=status_refresh.run,
    )


def _capacity_jobs(
    config: Config, stores: Stores, holder: StateHolder, cache: ObjectCache, clock: Callable[[], float]
) -> tuple[Job, ...]:
    """Return the job of the capacity predictions if they are enabled."""
    if not config.capacity.enabled:
        return ()
    key = (stores, config.capacity, config.warning)
    job = cache.get("capacity", key, lambda: CapacityJob(stores, config, holder.publish_capacity, clock))
    return (Job("capacity", CAPACITY_INTERVAL, job.run, offset=JOB_OFFSET),)


def _notification_jobs(
    config: Config, stores: Stores, holder: StateHolder, cache: ObjectCache, clock: Callable[[], float]
) -> tuple[Job, ...]:
    """Return the job of the notifications if a channel is configured; without one, its modules are not loaded.

    A change of the channels keeps the outbox with the waiting notifications.
    """
    if not config.notify.channels:
        return ()
    from monitor.notifications.delivery import SenderProcesses  # noqa: PLC0415
    from monitor.notifications.job import NotificationInput, NotificationJob, origin_of  # noqa: PLC0415
    from monitor.notifications.outbox import Outbox  # noqa: PLC0415

    outbox = cache.get("outbox", (stores,), lambda: Outbox(stores.notifications))
    senders = cache.get("senders", (), SenderProcesses)
    holder.stop_notifications = senders.stop
    source = NotificationInput(
        state=holder.state,
        origin=lambda: origin_of(config, holder.host, holder.page_url),
        clock=clock,
        monotonic=holder.monotonic,
    )
    job = cache.get(
        "notification",
        (stores, config.notify, config.anomaly.maintenance, config.directory),
        lambda: NotificationJob(config, stores, outbox, senders, holder.publish_channels, source),
    )
    interval = min(config.sampling.interval, MAX_NOTIFICATION_INTERVAL)
    return (Job("notification", interval, job.run, NOTIFIER, offset=JOB_OFFSET),)


def _started_follower(storage: DaemonStorage, served: ServedModel, clock: Callable[[], float]) -> RegistryFollower:
    """Return a follower that has loaded the active model if the database is open."""
    follower = RegistryFollower(storage.stores, served)
    generation = storage.open_generation()
    if generation is not None:
        follower.follow(clock(), generation)
    return follower
