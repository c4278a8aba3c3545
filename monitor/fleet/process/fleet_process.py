"""Fleet process: opens everything, applies other configurations and closes everything."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from model.units import HOUR
from monitor.config.loader import Config, load_config
from monitor.daemon.scheduler import NOTIFIER, SAMPLER, Job, Scheduler
from monitor.daemon.sd_notify import Notifier
from monitor.daemon.signals import request_reload
from monitor.daemon.storage import DaemonStorage, raise_fatal
from monitor.errors import ConfigError, MonitorError
from monitor.fleet.process.holder import FleetStateHolder, max_silence
from monitor.fleet.process.parts import FleetFactory, FleetParts, build_parts, same_parts
from monitor.fleet.process.recorder import STORAGE_INTERVAL, FleetRecorder, FleetStorageJob, channels_of, delete_old
from monitor.fleet.serving.application import FleetApplication
from monitor.fleet.source.factory import source_problems
from monitor.system.logging import get_logger, setup_logging
from monitor.system.redaction import redact_url
from monitor.web import Guarded, guard, make_server
from monitor.web.web_config.loader import web_file_problems
from storage import StorageError
from storage.fleet.records import FleetWarning
from storage.fleet.repository import FleetRepository

if TYPE_CHECKING:
    from monitor.fleet.notifications.wiring import FleetNotifications

log = get_logger(__name__)

NOTIFICATION_INTERVAL = 5.0
"""Seconds between two comparisons of the hosts with what was notified."""

START_SECONDS = 0.5
"""Seconds by which the cycle is later than the end of the delay, and the other jobs than whole seconds."""

MIN_DEADLINE = 300.0
"""Shortest deadline of the cycle in seconds; a run ends before the next step, unless the source is slow."""


class FleetProcess:
    """Running fleet process; a reload replaces what has changed."""

    def __init__(self, config: Config, notifier: Notifier, factory: FleetFactory) -> None:
        """Open and start everything that the configuration names.

        Raises:
            MonitorError: the process cannot start.
            StorageError: the process cannot start because of the database.
        """
        notifier.opening(config.source.step)
        self._config = config
        self._notifier = notifier
        self._factory = factory
        self._recorder = FleetRecorder()
        self._notifications: FleetNotifications | None = None
        self.holder = FleetStateHolder(config, notifier)
        self._application = FleetApplication(
            self.holder.state,
            self._repository,
            socket.gethostname(),
            channels=lambda: channels_of(self._storage, self._config.notify),
        )
        with ExitStack() as opened:
            self._web = make_server(config, self._guarded(config))
            opened.callback(self._web.close)
            self._storage = DaemonStorage(config.database_url)
            opened.callback(self._storage.close)
            self._parts = self._build(config, self._stored_warnings())
            self._storage_job = self._new_storage_job(self._parts)
            self.scheduler = Scheduler(self._jobs(config))
            self.holder.read_jobs_from(self.scheduler.states, lambda: self.scheduler.needs_restart)
            self.holder.page_url = self._web.url
            self.holder.use(config, self._parts.members, self._parts.statistics)
            self.scheduler.start()
            opened.pop_all()
        self._web.start()
        notifier.opened(max_silence(config.source.step))

    def log_start(self) -> None:
        """Log that the process has started."""
        config = self._config
        log.info(
            "fleet process started",
            version=self.holder.version,
            source=redact_url(config.source.url),
            step_seconds=config.source.step,
            listen=f"{config.web.address[0]}:{self._web.port}",
            page=self._web.url,
            database=config.database_url,
            config=config.path or "defaults",
        )

    def reload(self) -> None:
        """Read the configuration file and apply it; after any error, continue with the previous configuration."""
        self._notifier.reloading()
        try:
            config = load_config(self._config.path, (web_file_problems, source_problems))
            self._apply(config)
        except Exception as error:
            self._reload_failed(error)
            self._notifier.reload_failed()
        else:
            self.holder.reloaded()
            log.info("fleet configuration reloaded", file=config.path)
            self._notifier.opened(max_silence(config.source.step))

    def close(self) -> bool:
        """Stop the jobs, store what waits and close everything; return False if a job does not stop."""
        if self._notifications is not None:
            self._notifications.stop()
        stopped = self.scheduler.close()
        if stopped:
            self._parts.members.record_predictions()
            with suppress(StorageError):
                self._storage_job.run()
        self._web.close()
        if stopped:
            self._storage.close()
        return stopped

    def _apply(self, config: Config) -> None:
        """Continue with another configuration; histories are read again if source or forecasts have changed.

        Raises:
            MonitorError: the configuration needs a restart, or its parts cannot be built.
        """
        if not config.source.is_fleet or config.database_url != self._config.database_url:
            raise ConfigError(["source.kind and storage.url cannot change while the process runs: restart it"])
        parts = self._parts
        if not same_parts(self._config, config):
            parts = self._build(config, parts.members.active_warnings)
        guarded = self._guarded(config)
        self._web.rebind(config.web.address)
        self._web.use(guarded.application, guarded.web_config)
        if parts is not self._parts:
            self._parts = parts
            self._storage_job = self._new_storage_job(parts)
        self._config = config
        self.holder.use(config, parts.members, parts.statistics)
        self.holder.page_url = self._web.url
        self.scheduler.replace(self._jobs(config))
        setup_logging(config.log.level, config.log.format)

    def _build(self, config: Config, active: tuple[FleetWarning, ...]) -> FleetParts:
        return build_parts(config, self._factory, active, self._recorder.add, self.holder.publish_cycle)

    def _new_storage_job(self, parts: FleetParts) -> FleetStorageJob:
        return FleetStorageJob(self._storage, parts.members, self._recorder, self.holder.publish_storage)

    def _jobs(self, config: Config) -> tuple[Job, ...]:
        step = config.source.step
        return (
            Job(
                "fleet_cycle",
                step,
                self._parts.cycle.run,
                SAMPLER,
                offset=config.source.delay + START_SECONDS,
                deadline=max(MIN_DEADLINE, 3 * step),
                at_start=True,
            ),
            Job("fleet_storage", STORAGE_INTERVAL, self._run_storage, offset=START_SECONDS),
            Job("fleet_retention", HOUR, self._delete_old, offset=START_SECONDS),
            *self._notification_jobs(config),
            *self._remote_write_jobs(config),
        )

    def _remote_write_jobs(self, config: Config) -> tuple[Job, ...]:
        """Return the job of the remote write if it is configured; without it, its libraries are not loaded.

        Raises:
            ConfigError: a library or a file of the remote write is missing.
        """
        if not config.fleet.remote_write_url:
            return ()
        from monitor.fleet.remote_write.writer import create_writer  # noqa: PLC0415

        writer = create_writer(config, self.holder.state, self.holder.publish_remote_write)
        return (Job("fleet_remote_write", STORAGE_INTERVAL, writer.run, offset=2 * START_SECONDS),)

    def _notification_jobs(self, config: Config) -> tuple[Job, ...]:
        """Return the job of the notifications if a channel is configured; without one, its modules are not loaded."""
        if not config.notify.channels:
            return ()
        from monitor.fleet.notifications.wiring import FleetNotifications  # noqa: PLC0415

        if self._notifications is None:
            holder = self.holder
            self._notifications = FleetNotifications(
                self._storage.stores, holder.state, lambda: holder.page_url, holder.publish_channels
            )
        job = self._notifications.job(config)
        return (Job("notification", NOTIFICATION_INTERVAL, job.run, NOTIFIER, offset=START_SECONDS),)

    def _run_storage(self) -> None:
        self._storage_job.run()

    def _delete_old(self) -> None:
        delete_old(self._storage, self._config.storage.retention, time.time())

    def _stored_warnings(self) -> tuple[FleetWarning, ...]:
        """Return the warnings that were active when the previous process ended; none without the database.

        Raises:
            MonitorError: another process uses the database.
            StorageError: only a person can remove the error.
        """
        try:
            self._storage.ensure_open()
            return tuple(FleetRepository(self._storage.stores.database).active_warnings())
        except StorageError as error:
            raise_fatal(error)
            log.error("fleet database open failed", error=error)
            return ()

    def _repository(self) -> FleetRepository | None:
        """Return the stored fleet; None while the database is not open."""
        return None if self._storage.open_generation() is None else FleetRepository(self._storage.stores.database)

    def _guarded(self, config: Config) -> Guarded:
        """Return the routes behind the access control of a configuration.

        Raises:
            ConfigError: `web.config_file` is invalid.
        """
        return guard(config, self._application, self._check_configuration, request_reload)

    def _check_configuration(self) -> None:
        """Validate the configuration file, before a reload over HTTP.

        Raises:
            MonitorError: the file cannot be read or is invalid.
        """
        try:
            load_config(self._config.path, (web_file_problems, source_problems))
        except MonitorError as error:
            self._reload_failed(error)
            raise

    def _reload_failed(self, error: Exception) -> None:
        self.holder.reload_failed()
        is_expected = isinstance(error, MonitorError | StorageError)
        log.error("fleet configuration reload failed", exc_info=None if is_expected else error, error=error)
