"""Holder of the daemon's state: jobs write it, the web server reads it."""

from __future__ import annotations

import platform
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitor import release
from monitor.config.loader import Config
from monitor.daemon.sd_notify import Notifier
from monitor.queries.capacity import CapacityState
from monitor.queries.overview import Overview, max_sample_age
from monitor.reports.status import status_line
from monitor.sampling.storage_state import StorageState
from monitor.state import AnomalyState, ChannelState, DaemonState, JobState, LiveState
from monitor.system.formatting import approximate_duration
from monitor.system.queued_stderr import dropped_log_lines
from monitor.web import StoredDocuments


@dataclass(frozen=True)
class ReloadState:
    """State of the configuration reloads.

    Attributes:
        successful: True if the last start or reload took effect.
        at: time at which a configuration last took effect, in seconds since the epoch.
        failures: number of failed reloads since the start.
    """

    successful: bool
    at: float
    failures: int = 0


class StateHolder:
    """Current state of the daemon; thread-safe, because writers only replace immutable values.

    Attributes:
        version: version of this release; read once, because the process may lack descriptors later.
        host: name of the host in notifications.
        monotonic: monotonic clock of the notifications; returns seconds.
        page_url: URL of the page as seen from this machine; empty until the port is bound.
        stop_notifications: stops the sender processes of the notifications.
    """

    def __init__(self, config: Config, notifier: Notifier, reload: ReloadState) -> None:
        """Initialize the holder; its state is empty until the first job publishes a result.

        Args:
            config: configuration in effect.
            notifier: notifies systemd of new samples.
            reload: state of the configuration reloads.
        """
        self.version = release()
        self.host = socket.gethostname()
        self.monotonic: Callable[[], float] = time.monotonic
        self.page_url = ""
        self.stop_notifications: Callable[[], None] = lambda: None
        self._channels: Mapping[str, ChannelState] = {}
        self._capacity: CapacityState | None = None
        self.use(config)
        self._notifier = notifier
        self._reload = reload
        self._live: LiveState | None = None
        self._live_at = time.monotonic()
        self._overview: Overview | None = None
        self._anomaly: AnomalyState | None = None
        self._job_states: Callable[[], Mapping[str, JobState]] = dict
        self._needs_restart: Callable[[], bool] = lambda: False
        self._storage_state: Callable[[], StorageState] = StorageState
        self.records: StoredDocuments | None = None
        """Reader of the database for the page and the API; None while the database is closed."""

    def use(self, config: Config) -> None:
        """Apply the keys of the configuration that the state depends on; the published values stay."""
        self._stale_after = max_sample_age(config.sampling.interval)
        self._host_metrics = config.web.host_metrics
        self._config = config
        if not config.notify.channels:
            self._channels = {}
        if not config.capacity.enabled:
            self._capacity = None

    @property
    def overview(self) -> Overview | None:
        """Return the newest overview of the database; None before the first status refresh."""
        return self._overview

    def publish_live(self, live: LiveState) -> None:
        """Replace the result of the newest sampling cycle, and notify systemd of its sample."""
        self._live = live
        self._live_at = time.monotonic()
        storage = self._storage_state()
        # A restart would lose the samples in memory. The newest one may be about to be stored.
        if storage.samples_buffered <= 1 and self._needs_restart():
            self._notifier.stalled("job hung: waiting for the restart by the watchdog")
        else:
            self._notifier.sampled(status_line(live, self._overview, storage))

    def publish_overview(self, overview: Overview) -> None:
        """Replace the overview of the database that the page, the API and the exporter read."""
        self._overview = overview

    def publish_anomaly(self, anomaly: AnomalyState | None) -> None:
        """Replace the state of the anomaly detector that is exposed over HTTP; None if no detector runs."""
        self._anomaly = anomaly

    def publish_capacity(self, capacity: CapacityState) -> None:
        """Replace the predictions of exhausted capacity."""
        self._capacity = capacity

    def publish_channels(self, channels: Mapping[str, ChannelState]) -> None:
        """Replace the state of the channels of the notifications."""
        self._channels = channels

    def read_jobs_from(
        self, job_states: Callable[[], Mapping[str, JobState]], needs_restart: Callable[[], bool]
    ) -> None:
        """Set the functions that return the state of each job, and whether a hung job needs a restart of the process.

        In need of a restart, samples no longer reset the watchdog of systemd.
        """
        self._job_states = job_states
        self._needs_restart = needs_restart

    def read_storage_from(self, storage_state: Callable[[], StorageState]) -> None:
        """Set the function from which `state` obtains the state of the writes to the database."""
        self._storage_state = storage_state

    def reloaded(self) -> None:
        """Record that a new configuration took effect."""
        self._reload = ReloadState(successful=True, at=time.time(), failures=self._reload.failures)

    def reload_failed(self) -> None:
        """Record that a new configuration was rejected."""
        self._reload = ReloadState(successful=False, at=self._reload.at, failures=self._reload.failures + 1)

    def report_stall(self) -> None:
        """Notify systemd if the newest sample is older than `max_sample_age`."""
        silence = time.monotonic() - self._live_at
        if silence >= self._stale_after:
            self._notifier.stalled(f"not sampling: no sample for {approximate_duration(silence)}")

    def state(self) -> DaemonState:
        """Return the current state of the daemon; `live` and `anomaly` are None while samples have stopped."""
        sampling = time.monotonic() - self._live_at < self._stale_after
        return DaemonState(
            version=self.version,
            python=platform.python_version(),
            live=self._live if sampling else None,
            overview=self._overview,
            jobs=self._job_states(),
            sampling=sampling,
            host_metrics=self._host_metrics,
            reload_successful=self._reload.successful,
            reloaded_at=self._reload.at,
            reload_failures=self._reload.failures,
            anomaly=self._anomaly if sampling else None,
            log_lines_dropped=dropped_log_lines(),
            storage=self._storage_state(),
            config=self._config,
            channels=self._channels,
            capacity=self._capacity,
        )
