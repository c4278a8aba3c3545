"""The daemon: everything is opened in reading order and closed in reverse.

What is given up first when something cannot be opened is the start itself: nothing half started is left behind.
"""

from __future__ import annotations

import gc
import logging
import os
import platform
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from model.units import HOUR
from monitor import release
from monitor.config.loader import Config, load_checked
from monitor.daemon.process import Signals, give_large_memory_back, handled_signals
from monitor.daemon.scheduler import Job, Scheduler
from monitor.daemon.sd_notify import Notifier, from_environment
from monitor.errors import EXIT_DONE, MonitorError
from monitor.inference.served_model import ServedModel
from monitor.jobs.anomaly_detection import AnomalyDetectionJob
from monitor.jobs.recalibration import RecalibrationJob
from monitor.jobs.retraining import RetrainSchedule
from monitor.jobs.sampling_cycle import Tick
from monitor.jobs.scoring import ScoringJob, scoring_interval
from monitor.queries.history import Curves
from monitor.queries.status import Overview, old_after, read_overview
from monitor.sampling.sampler import Sampler
from monitor.sampling.sources import make_sources
from monitor.sampling.write_buffer import PredictionBuffer, SampleBuffer
from monitor.state import AnomalyState, Live, Status, summary
from monitor.stores import Stores, open_stores
from monitor.system.formatting import approximate_duration
from monitor.system.logging import get_logger, setup_logging, thread_errors_logged
from monitor.training.bootstrap_model import ensure_bootstrap_model, fitted_model_serves
from monitor.training.schedule import Serving, recent_coverage
from monitor.web import Application, Records, WebServer, make_server
from storage import LockHeldError, StorageError

log = get_logger(__name__)

BUSY_TIMEOUT = 0.5
"""Seconds that a tick waits for another writer before its sample goes into the buffer."""


class StatusBoard:
    """Where the jobs put what they know, and the endpoint reads it; each part is replaced as a whole."""

    def __init__(self, config: Config, notifier: Notifier, reloaded: tuple[bool, float]) -> None:
        """Nothing is known yet.

        Args:
            config: that holds.
            notifier: told of life.
            reloaded: whether the last reload took effect, and when one last did (seconds).
        """
        self._version = release()
        self._stale_after = old_after(config.sampling.interval)
        self._host_metrics = config.web.host_metrics
        self._notifier = notifier
        self._reload = reloaded
        self._live: Live | None = None
        self._live_at = self._started = time.monotonic()
        self.overview: Overview | None = None
        self.anomaly: AnomalyState | None = None
        self.scheduler: Scheduler | None = None
        self.records: Records | None = None

    def publish(self, live: Live) -> None:
        """The outcome of a tick: the sign of life, here and for whoever watches over this process."""
        self._live, self._live_at = live, time.monotonic()
        self._notifier.sampled(summary(live, self.overview), stored=not live.buffered)

    def tell_stall(self) -> None:
        """Says so where samples have ceased."""
        silent = time.monotonic() - self._live_at
        if silent >= self._stale_after:
            self._notifier.stalled(f"not sampling: no sample for {approximate_duration(silent)}")

    def reload_failed(self) -> None:
        """A new configuration was refused; the old one goes on."""
        self._reload = (False, self._reload[1])

    def status(self) -> Status:
        """Everything, as of now. What the last tick said disappears when no tick follows."""
        turning = time.monotonic() - self._live_at < self._stale_after
        return Status(
            version=self._version,
            python=platform.python_version(),
            live=self._live if turning else None,
            overview=self.overview,
            jobs=self.scheduler.states() if self.scheduler else {},
            turning=turning,
            host_metrics=self._host_metrics,
            reload_successful=self._reload[0],
            reload_at=self._reload[1],
            anomaly=self.anomaly if turning else None,
        )


def run(config: Config) -> None:
    """Runs until SIGTERM or SIGINT; SIGHUP loads the configuration anew.

    Raises:
        MonitorError: it cannot start.
        StorageError: likewise, for the database's sake.
    """
    give_large_memory_back()
    notifier = from_environment()
    with handled_signals() as signals, thread_errors_logged():
        before: Config | None = None
        taken_at = time.time()
        while not signals.stop:
            taken = before is not config
            try:
                with _opened(config, notifier, signals, reloaded=(taken, taken_at)) as board:
                    if taken and before is not None:
                        log.info("configuration reloaded", file=config.path)
                    before, config = config, _serve_until_reload(config, board, signals, notifier)
                    taken_at = time.time() if before is not config else taken_at
            except (MonitorError, StorageError) as error:
                if before is None or before is config:
                    raise
                # what was running still can: a reload must not end the daemon
                log.error("configuration reload failed", error=error)
                config = before


def _serve_until_reload(config: Config, board: StatusBoard, signals: Signals, notifier: Notifier) -> Config:
    """Returns the configuration to go on with."""
    while not signals.stop:
        signals.wake.wait(5.0)
        if board.scheduler:
            board.scheduler.follow_clock()
        board.tell_stall()
        if signals.reload and not signals.stop:
            signals.reload = False
            signals.wake.clear()
            notifier.reloading()
            try:
                new = _read_anew(config, board)
            except MonitorError:
                notifier.kept()
            else:
                setup_logging(new.log.level, new.log.format)
                return new
    log.info("daemon stopping")
    notifier.stopping()
    return config


def _read_anew(config: Config, board: StatusBoard) -> Config:
    """The configuration as its file has it now; that it cannot be used is logged, and shows."""
    try:
        return load_checked(config.path)
    except MonitorError as error:
        board.reload_failed()
        log.error("configuration reload failed", error=error)
        raise


@contextmanager
def _opened(
    config: Config, notifier: Notifier, signals: Signals, reloaded: tuple[bool, float]
) -> Iterator[StatusBoard]:
    notifier.opening(config.sampling.interval)
    board = StatusBoard(config, notifier, reloaded)
    application = Application(board.status, lambda: board.records, socket.gethostname())
    web = make_server(config, application, lambda: _read_anew(config, board), signals.ask_reload)
    try:
        with open_stores(config.database_url, busy_timeout=BUSY_TIMEOUT) as stores, _sole_daemon(stores):

            def overview() -> None:
                board.overview = read_overview(stores, config, time.time(), board.overview)

            ensure_bootstrap_model(stores, config, time.time())
            overview()
            served = ServedModel(stores, config.rules, config.sampling.interval)
            board.records = Records(stores, Curves(stores, lambda: served.rules, config.sampling.interval))
            schedule = _retrain_schedule(config, stores, served, overview)
            predictions = PredictionBuffer(stores.predictions)
            board.scheduler = Scheduler(_jobs(config, stores, board, served, overview, schedule, predictions))
            board.scheduler.start()
            web.start()
            notifier.opened(old_after(config.sampling.interval))
            if board.overview:
                _announce(config, web, board.overview)
            # What is here now stays for months: the collector need not look at it again and again.
            gc.collect()
            gc.freeze()
            # A tick makes some thousand short-lived tuples and no cycles: looking for some at every 700 is waste.
            gc.set_threshold(20_000, 20, 20)
            try:
                yield board
            finally:
                board.records = None
                schedule.close()
                if not board.scheduler.close():
                    # Python would wait for that thread for ever. Samples that were stored are stored.
                    log.error("forced exit: job did not stop")
                    logging.shutdown()
                    os._exit(EXIT_DONE)
                predictions.flush()
    finally:
        web.close()


@contextmanager
def _sole_daemon(stores: Stores) -> Iterator[None]:
    try:
        with stores.database.lock("daemon"):
            yield
    except LockHeldError as error:
        raise MonitorError(f"another daemon runs on this database: {error}") from error


def _announce(config: Config, web: WebServer, overview: Overview) -> None:
    log.info(
        "daemon started",
        version=release(),
        listen=f"{config.web.address[0]}:{web.port}",
        database=config.database_url,
        interval_seconds=config.sampling.interval,
        config=config.path or "defaults",
    )
    if overview.waiting_for:
        log.info("training pending", reason=overview.waiting_for)


def _serving(stores: Stores, served: ServedModel) -> Serving:
    """Whether a model of this host serves; one that cannot be loaded does not."""
    if served.broken or not fitted_model_serves(stores):
        return "none"
    return "behind" if served.behind else "well"


def _retrain_schedule(
    config: Config, stores: Stores, served: ServedModel, on_end: Callable[[], None]
) -> RetrainSchedule:
    needed = config.training.min_history
    return RetrainSchedule(
        config,
        stores.runs,
        enough=lambda now: recent_coverage(stores, config, now, needed) >= needed,
        serving=lambda: _serving(stores, served),
        on_end=on_end,
    )


def _jobs(
    config: Config,
    stores: Stores,
    board: StatusBoard,
    served: ServedModel,
    overview: Callable[[], None],
    schedule: RetrainSchedule,
    predictions: PredictionBuffer,
) -> list[Job]:
    interval = config.sampling.interval

    def publish(live: Live) -> None:
        board.publish(live)
        recorded = board.overview.model if board.overview else None
        if live.model_id != (recorded.id if recorded else None):
            # what is said of the serving model must not lag behind what it says
            overview()

    tick = Tick(
        Sampler(make_sources(config.sampling.sources, config.sampling.network_exclude), interval),
        SampleBuffer(stores.samples),
        served,
        predictions,
        publish,
        interval,
    )

    def retention() -> None:
        before = time.time() - config.storage.retention
        # A clock that jumped ahead makes all history look old: this many rows stay whatever it says.
        keep = int(config.storage.retention / interval)
        stores.samples.purge(before, keep_newest=keep)
        oldest = stores.samples.oldest_at()
        if oldest is not None:
            stores.predictions.purge(oldest)
            stores.scores.purge(oldest)
            stores.anomalies.purge(oldest)

    def watched(state: AnomalyState | None) -> None:
        board.anomaly = state

    score = ScoringJob(stores, lambda: served.rules, interval, time.time)
    return [
        Job("sample", interval, tick, executor="sampler"),
        Job("overview", 30.0, overview),
        Job("retrain", 15.0, schedule),
        Job("recalibrate", 60.0, RecalibrationJob(stores, served, config.warning.precision, time.time)),
        Job("score", scoring_interval(config.high_load.horizons), score),
        Job("retention", HOUR, retention),
        Job("watch", 15.0, AnomalyDetectionJob(stores, config.anomaly, interval, watched, time.time)),
    ]
