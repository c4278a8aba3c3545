"""Lifecycle of the fleet process: start, wait for signals, stop."""

from __future__ import annotations

import logging
import os
import time
from functools import partial

from monitor.config.loader import Config
from monitor.daemon.memory import release_memory, tune_garbage_collection, tune_malloc
from monitor.daemon.reloader import Reloader
from monitor.daemon.sd_notify import Notifier, from_environment
from monitor.daemon.signals import Request, blocked_signals, wait_for_request
from monitor.errors import MonitorError
from monitor.fleet.forecasting import create_forecaster
from monitor.fleet.high_availability import ActiveProcess, active_process
from monitor.fleet.process.fleet_process import FleetProcess
from monitor.fleet.process.holder import max_silence
from monitor.fleet.process.parts import FleetFactory
from monitor.fleet.source.factory import create_source
from monitor.system.logging import get_logger, thread_errors_logged
from monitor.system.queued_stderr import drain_stderr

log = get_logger(__name__)

RELOAD_PATIENCE = 1.0
"""Longest time in seconds to wait at a stop for a reload in progress."""

WAKE_INTERVAL = 5.0
"""Longest time in seconds between two checks for hung jobs and for a stalled cycle."""

LEASE_INTERVAL = 1.0
"""Longest time in seconds between two checks of the lease of a highly available fleet."""

RELEASE_INTERVAL = 300.0
"""Seconds between two calls of `release_memory`."""


def run(config: Config) -> None:
    """Run the fleet process until SIGTERM or SIGINT; SIGHUP reloads the configuration.

    Raises:
        MonitorError: the process cannot start.
        StorageError: the database cannot be used.
    """
    tune_malloc()
    with blocked_signals(), thread_errors_logged():
        if Request.STOP in wait_for_request(0):
            return
        notifier = from_environment()
        active = active_process(config)
        if active is not None and not active.wait(partial(_pause, config, notifier)):
            active.close()
            return
        process = FleetProcess(config, notifier, FleetFactory(source=create_source, forecaster=create_forecaster))
        process.log_start()
        tune_garbage_collection()
        reloader = Reloader(process.reload)
        _serve(process, reloader, active)
        log.info("fleet process stopping")
        notifier.stopping()
        reloaded = reloader.wait(RELOAD_PATIENCE)
        if not (process.close() and reloaded):
            # Otherwise the interpreter would wait for the thread without limit, for example for a slow query.
            log.warning("fleet process killed: job did not stop")
            logging.shutdown()
            drain_stderr()
            os._exit(0)
        if active is not None:
            is_lost = not active.is_active()
            active.close()
            if is_lost:
                raise MonitorError("the lease is lost, so that another process may act: start again, on standby")


def _pause(config: Config, notifier: Notifier, seconds: float) -> bool:
    """Wait on standby; return True at a stop. For systemd, the service is running."""
    notifier.opened(max_silence(config.source.step))
    notifier.sampled("on standby: another process acts")
    return Request.STOP in wait_for_request(seconds)


def _serve(process: FleetProcess, reloader: Reloader, active: ActiveProcess | None) -> None:
    """Pass requests to the reloader and look for hung jobs, until a stop or the loss of the lease."""
    release_at = time.monotonic() + RELEASE_INTERVAL
    interval = WAKE_INTERVAL if active is None else LEASE_INTERVAL
    while Request.STOP not in (request := wait_for_request(interval)):
        if active is not None and not active.is_active():
            return
        if Request.RELOAD in request:
            reloader.request()
        reloader.check()
        process.scheduler.check()
        process.holder.report_stall()
        if time.monotonic() >= release_at:
            release_at = time.monotonic() + RELEASE_INTERVAL
            release_memory()
