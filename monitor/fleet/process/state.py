"""State of the fleet process: immutable values for web server, metrics and notifications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.config.loader import Config
from monitor.fleet.process.host_table import HostTable, as_of, empty_table
from monitor.fleet.remote_write.state import RemoteWriteState
from monitor.fleet.source.statistics import SourceStatistics
from monitor.state import ChannelState, JobState
from storage.fleet.records import FleetWarning


@dataclass(frozen=True)
class CycleState:
    """Counters of the cycle since the start, and state of the source.

    Attributes:
        cycles: number of runs that tried to read a step.
        cycle_seconds: duration of the newest run.
        newest: newest step that was read, in seconds since the epoch; None before the first one.
        tried: newest step that was read or failed, in seconds since the epoch; None before the first one.
        reads: number of steps that were read.
        source_errors: number of failed reads of samples and histories.
        source_error: error of the newest read; None if it succeeded.
        failing_since: first failure since the newest success, in seconds since the epoch; None without a failure.
        succeeded_at: newest successful read, in seconds since the epoch; None before the first one.
        filled_steps: number of missed steps that were filled later.
        lost_steps: number of missed steps that could not be filled.
        pending_hosts: number of hosts that wait for their histories.
    """

    cycles: int = 0
    cycle_seconds: float | None = None
    newest: float | None = None
    reads: int = 0
    source_errors: int = 0
    source_error: str | None = None
    failing_since: float | None = None
    succeeded_at: float | None = None
    filled_steps: int = 0
    lost_steps: int = 0
    pending_hosts: int = 0
    tried: float | None = None


@dataclass(frozen=True)
class FleetStorageState:
    """State of the writes to the database.

    Attributes:
        error: error of the newest write; None if it succeeded.
        failures: number of failed writes since the start.
        stored_at: newest successful write, in seconds since the epoch; None before the first one.
    """

    error: str | None = None
    failures: int = 0
    stored_at: float | None = None


@dataclass(frozen=True)
class FleetState:
    """State of the fleet process at one moment.

    Attributes:
        version: release of monitor.
        python: version of Python.
        config: configuration in effect.
        started_at: start of the process, in seconds since the epoch.
        table: newest values and predictions of all hosts.
        warnings: active warnings.
        cycle: counters of the cycle, and state of the source.
        working: False if the cycle has not run for several steps.
        jobs: counters and histograms for each job name.
        storage: state of the writes to the database.
        statistics: statistics of the source since the start; None if it has none.
        reload_successful: True if the last start or reload took effect.
        reloaded_at: time at which a configuration last took effect, in seconds since the epoch.
        reload_failures: number of failed reloads since the start.
        channels: state of each channel of the notifications.
        remote_write: counters of the remote write; None if it is not configured.
    """

    version: str
    python: str
    config: Config
    started_at: float
    table: HostTable = field(default_factory=lambda: empty_table(()))
    warnings: tuple[FleetWarning, ...] = ()
    cycle: CycleState = field(default_factory=CycleState)
    working: bool = True
    jobs: Mapping[str, JobState] = field(default_factory=dict)
    storage: FleetStorageState = field(default_factory=FleetStorageState)
    statistics: SourceStatistics | None = None
    reload_successful: bool = True
    reloaded_at: float = 0.0
    reload_failures: int = 0
    channels: Mapping[str, ChannelState] = field(default_factory=dict)
    remote_write: RemoteWriteState | None = None

    @property
    def step(self) -> float:
        """Seconds between samples."""
        return self.config.source.step


def current_table(table: HostTable, config: Config, cycle: CycleState, now: float) -> HostTable:
    """Return the table of a running process as of the clock: hosts without a sample for three steps are stale.

    A step counts once the cycle has tried to read it, or at the latest when the next one is due.

    Args:
        table: table of the newest step that was read.
        config: configuration with the step and the delay of the source.
        cycle: state of the cycle.
        now: seconds since the epoch.
    """
    step = config.source.step
    due = (now - config.source.delay) // step * step - step
    return as_of(table, due if cycle.tried is None else max(due, cycle.tried), step)
