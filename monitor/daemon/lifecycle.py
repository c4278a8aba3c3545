"""Lifecycle of the daemon: start, wait for signals, stop."""

from __future__ import annotations

import logging
import os
import time

from monitor.config.loader import Config
from monitor.daemon.daemon import Daemon
from monitor.daemon.memory import release_memory, tune_garbage_collection, tune_malloc
from monitor.daemon.reloader import Reloader
from monitor.daemon.sd_notify import from_environment
from monitor.daemon.signals import Request, blocked_signals, wait_for_request
from monitor.daemon.storage import raise_fatal
from monitor.system.logging import get_logger, thread_errors_logged
from monitor.system.queued_stderr import drain_stderr

log = get_logger(__name__)

RELOAD_PATIENCE = 1.0
"""Longest time in seconds to wait at a stop for a reload in progress."""

WAKE_INTERVAL = 5.0
"""Longest time in seconds between two checks for hung jobs and for missing samples."""

RELEASE_INTERVAL = 300.0
"""Seconds between two calls of `release_memory`."""


def run(config: Config) -> None:
    """Run the daemon until SIGTERM or SIGINT; SIGHUP reloads the configuration.

    Raises:
        MonitorError: the daemon cannot start.
        StorageError: the database, which may have responded long after the start, cannot be used.
    """
    tune_malloc()
    with blocked_signals(), thread_errors_logged():
        # A stop that arrived during the imports ends the process before it opens anything.
        if Request.STOP in wait_for_request(0):
            return
        notifier = from_environment()
        daemon = Daemon(config, notifier)
        daemon.log_start()
        tune_garbage_collection()
        reloader = Reloader(daemon.reload)
        _serve(daemon, reloader)
        log.info("daemon stopping")
        notifier.stopping()
        reloaded = reloader.wait(RELOAD_PATIENCE)
        stopped = daemon.close()
        fatal = daemon.core.fatal_error
        if not (stopped and reloaded):
            # Otherwise the interpreter would wait for the thread without limit.
            log.error("forced exit: job did not stop")
            if fatal is not None:
                log.error("storage open failed", error=fatal)
            logging.shutdown()
            drain_stderr()
            os._exit(0 if fatal is None else 1)
        raise_fatal(fatal)


def _serve(daemon: Daemon, reloader: Reloader) -> None:
    """Pass requests to the reloader and look for hung jobs, until a stop or a fatal error of the database."""
    release_at = time.monotonic() + RELEASE_INTERVAL
    while Request.STOP not in (request := wait_for_request(WAKE_INTERVAL)):
        if daemon.core.fatal_error is not None:
            return
        if Request.RELOAD in request:
            reloader.request()
        reloader.check()
        daemon.core.scheduler.check()
        daemon.holder.report_stall()
        if time.monotonic() >= release_at:
            release_at = time.monotonic() + RELEASE_INTERVAL
            release_memory()
