"""Parts of the fleet process that depend on the configuration: source, forecaster, members and cycle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from monitor.config.loader import Config
from monitor.fleet.interfaces import FleetForecaster, HostSource
from monitor.fleet.process.cycle import CycleSettings, FleetCycle
from monitor.fleet.process.members import Members
from monitor.fleet.process.state import CycleState
from monitor.fleet.process.warning_tracker import WarningTracker
from monitor.fleet.source.statistics import SourceStatistics
from storage.fleet.records import FleetChange, FleetWarning


@dataclass(frozen=True)
class FleetFactory:
    """Constructors of the source and the forecaster of a configuration."""

    source: Callable[[Config], HostSource]
    forecaster: Callable[[Config, Sequence[str], float], FleetForecaster]


@dataclass(frozen=True)
class FleetParts:
    """Parts of one configuration.

    Attributes:
        source: source of the samples.
        members: followed hosts.
        cycle: cycle over both.
    """

    source: HostSource
    members: Members
    cycle: FleetCycle

    def statistics(self) -> SourceStatistics | None:
        """Return the statistics of the source since its start; None if it has none."""
        statistics: SourceStatistics | None = getattr(self.source, "statistics", None)
        return statistics


def build_parts(
    config: Config,
    factory: FleetFactory,
    active: Sequence[FleetWarning],
    record: Callable[[FleetChange], None],
    publish: Callable[[CycleState], None],
) -> FleetParts:
    """Build the parts of a configuration, without a request to the source.

    Args:
        config: configuration of a fleet.
        factory: constructors.
        active: active warnings, which continue.
        record: receives the changes that are to be stored.
        publish: receives the state of the cycle.

    Raises:
        MonitorError: a file of the configuration cannot be read, or the model does not support the task.
    """
    source = factory.source(config)
    create_forecaster = partial(factory.forecaster, config, source.columns, source.step)
    members = Members(create_forecaster, source.columns, source.step, WarningTracker(active), record)
    settings = CycleSettings(step=source.step, delay=config.source.delay, expire_after=config.fleet.expire_after)
    return FleetParts(source, members, FleetCycle(source, members, settings, publish))


def same_parts(before: Config, after: Config) -> bool:
    """Return True if the parts of one configuration also serve another one."""
    return (
        before.source == after.source
        and before.fleet == after.fleet
        and before.high_load == after.high_load
        and before.warning == after.warning
        and before.directory == after.directory
    )
