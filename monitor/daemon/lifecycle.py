"""Lifecycle of the daemon: start, reload and stop."""

from __future__ import annotations

import gc
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from monitor import release
from monitor.config.loader import Config, load_config
from monitor.daemon.sd_notify import Notifier, from_environment
from monitor.daemon.signals import SignalRequests, handled_signals
from monitor.daemon.state import ReloadState, StateHolder
from monitor.daemon.wiring import Services, build_services, build_web_server
from monitor.errors import MonitorError
from monitor.queries.overview import max_sample_age
from monitor.stores import Stores, open_stores
from monitor.system.logging import get_logger, setup_logging, thread_errors_logged
from monitor.system.processes import fix_mmap_threshold
from monitor.web import WebServer
from monitor.web.web_config.loader import web_file_problems
from storage import LockHeldError, StorageError

log = get_logger(__name__)

BUSY_TIMEOUT = 0.5
"""Seconds that a sampling cycle waits for another writer before its sample is buffered."""

WAKE_INTERVAL = 5.0
"""Seconds between two checks of the clock and of the sampling."""


@dataclass(frozen=True)
class RunningDaemon:
    """Open daemon: its state and its services."""

    holder: StateHolder
    services: Services


def run(config: Config) -> None:
    """Run the daemon until SIGTERM or SIGINT; SIGHUP reloads the configuration.

    1. Open everything that the configuration names.
    2. Serve until a stop, or until a new valid configuration is read.
    3. Close everything, and continue with the new configuration. If it cannot be opened, the previous one is opened
       again.

    Raises:
        MonitorError: the daemon cannot start.
        StorageError: the daemon cannot start because of the database.
    """
    fix_mmap_threshold()
    notifier = from_environment()
    with handled_signals() as requests, thread_errors_logged():
        previous: Config | None = None
        effective_since = time.time()
        while not requests.stop:
            is_new = config is not previous
            try:
                with _opened(config, notifier, requests, ReloadState(is_new, effective_since)) as daemon:
                    if is_new and previous is not None:
                        log.info("configuration reloaded", file=config.path)
                    following = _serve(config, daemon, requests, notifier)
                    previous = config
                    config = following
                    if config is not previous:
                        effective_since = time.time()
            except (MonitorError, StorageError) as error:
                if previous is None or previous is config:
                    raise
                # The previous configuration could be opened before: a failed reload must not end the daemon.
                log.error("configuration reload failed", error=error)
                config = previous


@contextmanager
def _opened(
    config: Config, notifier: Notifier, requests: SignalRequests, reload: ReloadState
) -> Iterator[RunningDaemon]:
    """Open the daemon for a `with` block; on an error close everything that was opened so far."""
    notifier.opening(config.sampling.interval)
    holder = StateHolder(config, notifier, reload)
    web = build_web_server(config, holder, partial(_load_config, config, holder), requests.request_reload)
    try:
        with open_stores(config.database_url, busy_timeout=BUSY_TIMEOUT) as stores, _daemon_lock(stores):
            services = build_services(config, stores, holder)
            services.scheduler.start()
            web.start()
            notifier.opened(max_sample_age(config.sampling.interval))
            _log_start(config, web, holder)
            _tune_garbage_collection()
            try:
                yield RunningDaemon(holder, services)
            finally:
                holder.records = None
                _close(services)
    finally:
        web.close()


def _serve(config: Config, daemon: RunningDaemon, requests: SignalRequests, notifier: Notifier) -> Config:
    """Wait for a stop or a reload; return the configuration to continue with (unchanged at a stop)."""
    while not requests.stop:
        requests.wake.wait(WAKE_INTERVAL)
        daemon.services.scheduler.follow_clock()
        daemon.holder.report_stall()
        if requests.reload and not requests.stop:
            requests.reload = False
            requests.wake.clear()
            notifier.reloading()
            try:
                new = _load_config(config, daemon.holder)
            except MonitorError:
                notifier.reload_failed()
            else:
                setup_logging(new.log.level, new.log.format)
                return new
    log.info("daemon stopping")
    notifier.stopping()
    return config


def _load_config(config: Config, holder: StateHolder) -> Config:
    """Read the configuration file again.

    Raises:
        MonitorError: it is invalid; this is logged and shown in the metrics.
    """
    try:
        return load_config(config.path, (web_file_problems,))
    except MonitorError as error:
        holder.reload_failed()
        log.error("configuration reload failed", error=error)
        raise


@contextmanager
def _daemon_lock(stores: Stores) -> Iterator[None]:
    """Hold the lock that allows one daemon per database.

    Raises:
        MonitorError: another daemon holds it.
    """
    try:
        with stores.database.lock("daemon"):
            yield
    except LockHeldError as error:
        raise MonitorError(f"another daemon runs on this database: {error}") from error


def _close(services: Services) -> None:
    """Stop the trainer and the jobs, and write what is buffered; end the process if a job does not stop."""
    services.retraining.close()
    if not services.scheduler.close():
        # The interpreter would wait for the job's thread at exit without limit. All samples taken are stored.
        log.error("forced exit: job did not stop")
        logging.shutdown()
        os._exit(0)
    services.predictions.flush()


def _log_start(config: Config, web: WebServer, holder: StateHolder) -> None:
    log.info(
        "daemon started",
        version=release(),
        listen=f"{config.web.address[0]}:{web.port}",
        page=web.url,
        database=config.database_url,
        interval_seconds=config.sampling.interval,
        config=config.path or "defaults",
    )
    if holder.overview and holder.overview.waiting_for:
        log.info("training pending", reason=holder.overview.waiting_for)


def _tune_garbage_collection() -> None:
    """Reduce the work of the garbage collector to what a long-running process needs."""
    # Objects that exist now live as long as the process: freeze them, so that no collection visits them again.
    gc.collect()
    gc.freeze()
    # A sampling cycle allocates thousands of short-lived tuples and no cycles: the default threshold of 700 is too
    # low.
    gc.set_threshold(20_000, 20, 20)
