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
from monitor.daemon.signals import Request, blocked_signals, request_reload, wait_for_request
from monitor.daemon.state import ReloadState, StateHolder
from monitor.daemon.storage import DaemonStorage
from monitor.daemon.wiring import Services, build_services, build_web_server
from monitor.errors import MonitorError
from monitor.queries.overview import max_sample_age
from monitor.system.logging import get_logger, setup_logging, thread_errors_logged
from monitor.system.processes import fix_mmap_threshold
from monitor.system.queued_stderr import drain_stderr
from monitor.web import WebServer
from monitor.web.web_config.loader import web_file_problems
from storage import StorageError

log = get_logger(__name__)

OPEN_PATIENCE = 3.0
"""Longest time in seconds to wait at a start for the database; then sampling starts without it."""

WRITE_PATIENCE = 5.0
"""Longest time in seconds to wait at a stop for the write of the last samples."""

WAKE_INTERVAL = 5.0
"""Longest time in seconds between two checks for hung jobs and for missing samples."""


@dataclass(frozen=True)
class RunningDaemon:
    """Daemon with an open database: its state and its services."""

    holder: StateHolder
    services: Services


def run(config: Config) -> None:
    """Run the daemon until SIGTERM or SIGINT; SIGHUP reloads the configuration.

    1. Open everything that the configuration names.
    2. Serve until a stop, or until a new valid configuration is read.
    3. Close everything, and continue with the new configuration. If the resources of the new configuration cannot be
       opened, continue with the previous configuration.

    Raises:
        MonitorError: the daemon cannot start.
        StorageError: the daemon cannot start because of the database.
    """
    fix_mmap_threshold()
    notifier = from_environment()
    with blocked_signals(), thread_errors_logged():
        previous: Config | None = None
        # A stop that arrived during the imports ends the process before it opens anything.
        following = None if Request.STOP in wait_for_request(0) else config
        effective_since = time.time()
        while following is not None:
            current = following
            is_new = current is not previous
            try:
                with _opened(current, notifier, ReloadState(is_new, effective_since)) as daemon:
                    if is_new and previous is not None:
                        log.info("configuration reloaded", file=current.path)
                    following = _serve(current, daemon, notifier)
                    previous = current
                    effective_since = time.time()
            except (MonitorError, StorageError) as error:
                if previous is None or previous is current:
                    raise
                # The previous configuration worked before: a failed reload must not end the daemon.
                log.error("configuration reload failed", error=error)
                following = previous


@contextmanager
def _opened(config: Config, notifier: Notifier, reload: ReloadState) -> Iterator[RunningDaemon]:
    """Open web server, database and jobs for a `with` block, and close them at its end; also after an error."""
    notifier.opening(config.sampling.interval)
    holder = StateHolder(config, notifier, reload)
    web = build_web_server(config, holder, partial(_load_config, config, holder), request_reload)
    try:
        storage = DaemonStorage(config)
        services = build_services(config, storage, holder)
        try:
            services.writer.start(OPEN_PATIENCE)
            storage.raise_fatal()
            services.scheduler.start()
            web.start()
            notifier.opened(max_sample_age(config.sampling.interval))
            _log_start(config, web, holder)
            _tune_garbage_collection()
            yield RunningDaemon(holder, services)
        finally:
            holder.records = None
            _close(services, storage)
    finally:
        web.close()


def _serve(config: Config, daemon: RunningDaemon, notifier: Notifier) -> Config | None:
    """Wait for a stop or a reload; return the new configuration, or None after a stop."""
    while True:
        request = wait_for_request(WAKE_INTERVAL)
        daemon.services.scheduler.check()
        daemon.holder.report_stall()
        if Request.STOP in request:
            log.info("daemon stopping")
            notifier.stopping()
            return None
        if Request.RELOAD in request:
            notifier.reloading()
            try:
                new = _load_config(config, daemon.holder)
            except MonitorError:
                notifier.reload_failed()
            else:
                setup_logging(new.log.level, new.log.format)
                return new


def _load_config(config: Config, holder: StateHolder) -> Config:
    """Read and validate the configuration file again; log a failure and record it in the state of the daemon.

    Raises:
        MonitorError: the file cannot be read or is invalid.
    """
    try:
        return load_config(config.path, (web_file_problems,))
    except MonitorError as error:
        holder.reload_failed()
        log.error("configuration reload failed", error=error)
        raise


def _close(services: Services, storage: DaemonStorage) -> None:
    """Stop the trainer and the jobs, and store or spool the waiting samples; exit at once if a job does not stop."""
    services.retraining.close()
    stopped = services.scheduler.close()
    stopped &= services.writer.close(WRITE_PATIENCE)
    storage.close()
    if not stopped:
        # Otherwise the interpreter would wait for the job's thread without limit.
        log.error("forced exit: job did not stop")
        logging.shutdown()
        drain_stderr()
        os._exit(0)


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
    """Exclude all existing objects from garbage collection, and collect new objects less often."""
    # Objects that exist now live as long as the process; frozen objects are not visited by any collection.
    gc.collect()
    gc.freeze()
    # The default threshold of 700 is too low: a sampling cycle allocates thousands of short-lived tuples.
    gc.set_threshold(20_000, 20, 20)
