"""Composition root: builds the objects of the daemon from the configuration."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from model.units import HOUR, MINUTE
from monitor.config.loader import Config
from monitor.daemon.scheduler import SAMPLER, Job, Scheduler
from monitor.daemon.state import StateHolder
from monitor.daemon.storage import DaemonStorage
from monitor.inference.served_model import ServedModel
from monitor.jobs.anomaly_detection import AnomalyDetectionJob
from monitor.jobs.database_follow_up import DatabaseFollowUp
from monitor.jobs.recalibration import RecalibrationJob
from monitor.jobs.retention import RetentionJob
from monitor.jobs.retraining import RetrainingJob
from monitor.jobs.sampling_cycle import SamplingCycleJob
from monitor.jobs.scoring import ScoringJob, scoring_interval
from monitor.jobs.status_refresh import StatusRefreshJob
from monitor.queries.history import HistoryReader
from monitor.queries.overview import max_sample_age, unread_overview
from monitor.sampling.sampler import Sampler
from monitor.sampling.sources import make_sources
from monitor.sampling.storage_writer import StorageWriter
from monitor.stores import Stores
from monitor.training.bootstrap_model import fitted_model_serves
from monitor.training.coverage import HistoryCoverage
from monitor.training.schedule import ServingState
from monitor.web import Application, StoredDocuments, WebServer, make_server

STATUS_REFRESH_INTERVAL = 30.0
RETRAINING_INTERVAL = 15.0
RECALIBRATION_INTERVAL = MINUTE
RETENTION_INTERVAL = HOUR
ANOMALY_DETECTION_INTERVAL = 15.0
"""Intervals of the jobs in seconds; a run does nothing if there is nothing to do."""

LONG_DEADLINE = 900.0
"""Deadline in seconds of the jobs that may have to catch up on weeks of history."""


@dataclass(frozen=True)
class Services:
    """Objects of the daemon that use the open database.

    Attributes:
        scheduler: runs all jobs.
        retraining: starts and stops the trainer.
        writer: stores samples and predictions.
    """

    scheduler: Scheduler
    retraining: RetrainingJob
    writer: StorageWriter


class RetrainingConditions:
    """Conditions of a retraining: evaluated from the database and the serving model."""

    def __init__(self, config: Config, stores: Stores, coverage: HistoryCoverage, served: ServedModel) -> None:
        self._config = config
        self._coverage = coverage
        self._stores = stores
        self._served = served

    def has_enough_history(self, now: float) -> bool:
        """Return True if the samples before `now` (seconds since the epoch) suffice for a training run."""
        needed = self._config.training.min_history
        return self._coverage.seconds(now, needed) >= needed

    def serving(self) -> ServingState:
        """Return the kind of predictor that serves; NO_FITTED_MODEL also if the active model cannot be loaded."""
        if self._served.load_failed or not fitted_model_serves(self._stores):
            return ServingState.NO_FITTED_MODEL
        return ServingState.FALLBACK if self._served.fallback_active else ServingState.MODEL


def build_web_server(
    config: Config, holder: StateHolder, check_config: Callable[[], Config], request_reload: Callable[[], None]
) -> WebServer:
    """Build the web server and bind its address.

    Args:
        config: configuration in effect.
        holder: state of the daemon, which the server exposes.
        check_config: validates the configuration before a reload over HTTP.
        request_reload: called to reload the configuration after a successful check.

    Raises:
        MonitorError: the address cannot be bound.
        ConfigError: `web.config_file` is invalid.
    """
    application = Application(holder.state, lambda: holder.records, socket.gethostname())
    return make_server(config, application, check_config, request_reload)


def build_services(config: Config, storage: DaemonStorage, holder: StateHolder) -> Services:
    """Build the jobs and their scheduler without starting them, and without access to the database."""
    stores = storage.stores
    coverage = HistoryCoverage(stores, config)
    status_refresh = StatusRefreshJob(stores, config, coverage, holder.publish_overview, time.time)
    holder.publish_overview(unread_overview(config, time.time()))
    interval = config.sampling.interval
    served = ServedModel(config.rules, interval)
    holder.records = StoredDocuments(stores, HistoryReader(stores, lambda: served.rules, interval))
    conditions = RetrainingConditions(config, stores, coverage, served)
    retraining = RetrainingJob(
        config=config,
        runs=stores.runs,
        has_enough_history=conditions.has_enough_history,
        serving=conditions.serving,
        on_end=status_refresh.run,
    )
    follow_up = DatabaseFollowUp(config, stores, served, status_refresh, storage.open_generation)
    writer = StorageWriter(storage.buffer, interval, follow_up.run)
    sampling_cycle = SamplingCycleJob(
        sampler=Sampler(make_sources(config.sampling.sources, config.sampling.network_exclude), interval),
        served=served,
        buffer=storage.buffer,
        wake_writer=writer.wake,
        observers=(holder.publish_live,),
    )
    recalibration = RecalibrationJob(stores, served, config.warning.precision, time.time)
    scoring = ScoringJob(stores, lambda: served.rules, interval, time.time)
    retention = RetentionJob(stores, config.storage.retention, interval, time.time)
    anomaly_detection = AnomalyDetectionJob(stores, config.anomaly, interval, holder.publish_anomaly, time.time)
    horizons = config.high_load.horizons
    scheduler = Scheduler(
        (
            # The offsets spread the load: no other job starts together with a sample or with another job.
            Job("sampling_cycle", interval, sampling_cycle.run, SAMPLER, deadline=max_sample_age(interval)),
            Job("anomaly_detection", ANOMALY_DETECTION_INTERVAL, anomaly_detection.run, offset=1.5),
            Job("retraining", RETRAINING_INTERVAL, retraining.run, offset=2.5),
            Job("status_refresh", STATUS_REFRESH_INTERVAL, status_refresh.run, offset=3.5),
            Job("scoring", scoring_interval(horizons), scoring.run, offset=5.5, deadline=LONG_DEADLINE),
            Job("recalibration", RECALIBRATION_INTERVAL, recalibration.run, offset=6.5, deadline=LONG_DEADLINE),
            Job("retention", RETENTION_INTERVAL, retention.run, offset=7.5, deadline=LONG_DEADLINE),
        )
    )
    holder.read_jobs_from(scheduler.states, lambda: scheduler.needs_restart)
    holder.read_storage_from(storage.state)
    return Services(scheduler, retraining, writer)
