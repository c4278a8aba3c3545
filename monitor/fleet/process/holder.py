"""State holder of the fleet process: written by jobs, read by the web server."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitor import release
from monitor.config.loader import Config
from monitor.daemon.sd_notify import Notifier
from monitor.fleet.process.host_table import empty_table
from monitor.fleet.process.members import Members
from monitor.fleet.process.state import CycleState, FleetState, FleetStorageState, current_table
from monitor.fleet.remote_write.state import RemoteWriteState
from monitor.fleet.source.statistics import SourceStatistics
from monitor.state import ChannelState, JobState
from monitor.system.formatting import approximate_duration, format_count

STALLED_STEPS = 3.0
"""Steps without a run of the cycle after which it has stalled."""

MIN_STALL_SECONDS = 120.0
"""Shortest time in seconds without a run of the cycle after which it has stalled."""


def max_silence(step: float) -> float:
    """Return the seconds without a run of the cycle after which it has stalled, for a step in seconds."""
    return max(STALLED_STEPS * step, MIN_STALL_SECONDS)


@dataclass(frozen=True)
class Reloads:
    """Result of the reloads: success of the last one, time of the last success, and number of failures."""

    successful: bool = True
    at: float = 0.0
    failures: int = 0


class FleetStateHolder:
    """Current state of the fleet process; thread-safe, because writers only replace immutable values.

    Attributes:
        version: version of this release.
        page_url: URL of the page as seen from this machine; empty until the port is bound.
    """

    def __init__(self, config: Config, notifier: Notifier, clock: Callable[[], float] = time.time) -> None:
        """Initialize without members.

        Args:
            config: configuration in effect.
            notifier: receives the state for systemd.
            clock: returns the current time in seconds since the epoch.
        """
        self._clock = clock
        self.version = release()
        self.page_url = ""
        self._config = config
        self._notifier = notifier
        self._started_at = time.time()
        self._reloads = Reloads(at=self._started_at)
        self._members: Members | None = None
        self._cycle = CycleState()
        self._cycle_at = time.monotonic()
        self._storage = FleetStorageState()
        self._channels: Mapping[str, ChannelState] = {}
        self._remote_write: RemoteWriteState | None = None
        self._statistics: Callable[[], SourceStatistics | None] = lambda: None
        self._job_states: Callable[[], Mapping[str, JobState]] = dict
        self._needs_restart: Callable[[], bool] = lambda: False

    def use(self, config: Config, members: Members, statistics: Callable[[], SourceStatistics | None]) -> None:
        """Apply a configuration with its members, and the function that returns the statistics of its source."""
        self._config = config
        self._members = members
        self._statistics = statistics
        if not config.fleet.remote_write_url:
            self._remote_write = None
        if not config.notify.channels:
            self._channels = {}

    def read_jobs_from(
        self, job_states: Callable[[], Mapping[str, JobState]], needs_restart: Callable[[], bool]
    ) -> None:
        """Set the functions that return the state of each job, and whether a hung job needs a restart."""
        self._job_states = job_states
        self._needs_restart = needs_restart

    def publish_cycle(self, cycle: CycleState) -> None:
        """Replace the state of the cycle, and notify systemd."""
        self._cycle = cycle
        self._cycle_at = time.monotonic()
        if self._needs_restart():
            self._notifier.stalled("job hung: waiting for the restart by the watchdog")
        else:
            # The process works although its source does not: a restart would not help.
            self._notifier.sampled(self._status_line())

    def publish_storage(self, storage: FleetStorageState) -> None:
        """Replace the state of the writes to the database."""
        self._storage = storage

    def publish_channels(self, channels: Mapping[str, ChannelState]) -> None:
        """Replace the state of the channels of the notifications."""
        self._channels = channels

    def publish_remote_write(self, remote_write: RemoteWriteState) -> None:
        """Replace the counters of the remote write."""
        self._remote_write = remote_write

    def reloaded(self) -> None:
        """Record that a new configuration took effect."""
        self._reloads = Reloads(successful=True, at=time.time(), failures=self._reloads.failures)

    def reload_failed(self) -> None:
        """Record that a new configuration was rejected."""
        self._reloads = Reloads(successful=False, at=self._reloads.at, failures=self._reloads.failures + 1)

    def report_stall(self) -> None:
        """Notify systemd if the cycle has stalled."""
        silence = time.monotonic() - self._cycle_at
        if silence >= max_silence(self._config.source.step):
            self._notifier.stalled(f"no cycle for {approximate_duration(silence)}")

    def state(self) -> FleetState:
        """Return the current state of the process; hosts without a sample for three steps of the clock are stale."""
        members = self._members
        newest = empty_table(()) if members is None else members.table
        return FleetState(
            version=self.version,
            python=platform.python_version(),
            config=self._config,
            started_at=self._started_at,
            table=current_table(newest, self._config, self._cycle, self._clock()),
            warnings=() if members is None else members.active_warnings,
            cycle=self._cycle,
            working=time.monotonic() - self._cycle_at < max_silence(self._config.source.step),
            jobs=self._job_states(),
            storage=self._storage,
            statistics=self._statistics(),
            reload_successful=self._reloads.successful,
            reloaded_at=self._reloads.at,
            reload_failures=self._reloads.failures,
            channels=self._channels,
            remote_write=self._remote_write,
        )

    def _status_line(self) -> str:
        """Return the state in one line, for `systemctl status`."""
        members = self._members
        hosts = format_count(0 if members is None else len(members.table.hosts), "host")
        if self._cycle.source_error is not None:
            return f"source unavailable, {hosts}: {self._cycle.source_error}"
        waiting = self._cycle.pending_hosts
        return f"{hosts}, {waiting} waiting for their histories" if waiting else hosts
