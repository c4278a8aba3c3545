"""The sources of a sample, one file each."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.sources.base import Rates, Source
from monitor.sources.cpu import Cpu
from monitor.sources.disk import Disk
from monitor.sources.load import Load
from monitor.sources.memory import Memory
from monitor.sources.network import Network
from monitor.sources.pressure import Pressure
from monitor.sources.swap import Swap

__all__ = ["SOURCES", "Rates", "Source", "make_sources"]

SOURCES: dict[str, type[Source]] = {
    "cpu": Cpu,
    "memory": Memory,
    "network": Network,
    "disk": Disk,
    "load": Load,
    "swap": Swap,
    "pressure": Pressure,
}
"""Every source by its name in the configuration."""


def make_sources(names: Sequence[str], network_exclude: Sequence[str] = ()) -> tuple[Source, ...]:
    """The sources of these names; `network_exclude` holds shell patterns of interfaces to leave out."""
    return tuple(Network(network_exclude) if name == "network" else SOURCES[name]() for name in names)
