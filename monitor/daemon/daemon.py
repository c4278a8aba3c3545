"""Running daemon: opens everything, applies other configurations and closes everything."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, suppress

from monitor.config.loader import Config, load_config
from monitor.daemon.object_cache import ObjectCache
from monitor.daemon.sampling_core import SamplingCore
from monitor.daemon.sd_notify import Notifier
from monitor.daemon.signals import request_reload
from monitor.daemon.state import ReloadState, StateHolder
from monitor.daemon.storage import DaemonStorage, raise_fatal
from monitor.daemon.wiring import build_services
from monitor.errors import MonitorError
from monitor.jobs.retraining import Trainer
from monitor.queries.overview import max_sample_age, unread_overview
from monitor.system.logging import get_logger, setup_logging
from monitor.web import Application, Guarded, guard, make_server
from monitor.web.web_config.loader import web_file_problems
from storage import StorageError

log = get_logger(__name__)


class Daemon:
    """Running daemon: a reload replaces what has changed, while the sampling core continues."""

    def __init__(self, config: Config, notifier: Notifier) -> None:
        """Open and start everything that the configuration names.

        Raises:
            MonitorError: the daemon cannot start.
            StorageError: the daemon cannot start because of the database.
        """
        notifier.opening(config.sampling.interval)
        self._config = config
        self._notifier = notifier
        self._trainer = Trainer()
        self._cache = ObjectCache()
        self.holder = StateHolder(config, notifier, ReloadState(successful=True, at=time.time()))
        self._application = Application(self.holder.state, lambda: self.holder.records, socket.gethostname())
        with ExitStack() as opened:
            self._web = make_server(config, self._guarded(config))
            opened.callback(self._web.close)
            self._storage = DaemonStorage(config.database_url)
            opened.callback(self._storage.close)
            self.holder.page_url = self._web.url
            services = build_services(config, self._storage, self.holder, self._trainer, self._cache)
            self.holder.publish_overview(unread_overview(config, time.time()))
            self.core = SamplingCore(config, self._storage, services, self.holder)
            opened.callback(self.core.close)
            self.core.start()
            opened.pop_all()
        self.holder.records = services.records
        self._web.start()
        notifier.opened(max_sample_age(config.sampling.interval))

    def reload(self) -> None:
        """Read the configuration file and apply it; after any error, continue with the previous configuration."""
        self._notifier.reloading()
        try:
            config = load_config(self._config.path, (web_file_problems,))
            self._apply(config)
        except Exception as error:
            self._reload_failed(error)
            self._notifier.reload_failed()
        else:
            self.holder.reloaded()
            log.info("configuration reloaded", file=config.path)
            self._notifier.opened(max_sample_age(config.sampling.interval))

    def close(self) -> bool:
        """Stop the jobs, store the waiting samples and close everything; return False if a job does not stop."""
        self.holder.records = None
        self._trainer.stop()
        self.holder.stop_notifications()
        stopped = self.core.close()
        self._web.close()
        if stopped:
            self._storage.close()
        return stopped

    def log_start(self) -> None:
        """Log that the daemon has started, and what the first training run waits for."""
        log.info(
            "daemon started",
            version=self.holder.version,
            listen=f"{self._config.web.address[0]}:{self._web.port}",
            page=self._web.url,
            database=self._config.database_url,
            interval_seconds=self._config.sampling.interval,
            config=self._config.path or "defaults",
        )
        if self.holder.overview and self.holder.overview.waiting_for:
            log.info("training pending", reason=self.holder.overview.waiting_for)

    def _apply(self, config: Config) -> None:
        """Continue with another configuration.

        1. Open what has changed: database, web.config.yml, objects of the configuration, address. If one of them
           fails, everything stays as it was.
        2. Switch over.
        3. Close the previous database. A run in progress ends on its own connection.

        Raises:
            MonitorError: the address cannot be bound, or another daemon uses the database.
            StorageError: the database cannot be opened, read or written.
        """
        cache = self._cache.copy()
        previous = self._storage
        with ExitStack() as opened:
            storage = previous
            if config.database_url != previous.url:
                storage = open_storage(config.database_url)
                opened.callback(storage.close)
            guarded = self._guarded(config)
            services = build_services(config, storage, self.holder, self._trainer, cache)
            self._web.rebind(config.web.address)
            opened.pop_all()
        self._web.use(guarded.application, guarded.web_config)
        self.core.use(config, storage, services)
        self.holder.use(config)
        self.holder.page_url = self._web.url
        self.holder.records = services.records
        self._cache = cache
        self._config = config
        self._storage = storage
        setup_logging(config.log.level, config.log.format)
        if storage is not previous:
            self._trainer.stop()
            previous.close()
        with suppress(StorageError):
            # The next scheduled refresh logs the error.
            services.refresh()

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
            load_config(self._config.path, (web_file_problems,))
        except MonitorError as error:
            self._reload_failed(error)
            raise

    def _reload_failed(self, error: Exception) -> None:
        self.holder.reload_failed()
        is_expected = isinstance(error, MonitorError | StorageError)
        log.error("configuration reload failed", exc_info=None if is_expected else error, error=error)


def open_storage(url: str) -> DaemonStorage:
    """Open another database for a reload.

    Raises:
        MonitorError: another daemon uses it.
        StorageError: the database cannot be opened.
    """
    storage = DaemonStorage(url)
    try:
        storage.ensure_open()
    except StorageError as error:
        storage.close()
        raise_fatal(error)
        raise
    return storage
