"""Sources of host metrics: one module per source, and the table of all sources."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.sampling.sources.base import Source, Values
from monitor.sampling.sources.cpu import Cpu
from monitor.sampling.sources.disk import Disk
from monitor.sampling.sources.load import Load
from monitor.sampling.sources.memory import Memory
from monitor.sampling.sources.network import Network
from monitor.sampling.sources.pressure import Pressure
from monitor.sampling.sources.swap import Swap

__all__ = ["SOURCES", "Source", "Values", "make_sources"]

SOURCES: dict[str, type[Source]] = {
    "cpu": Cpu,
    "memory": Memory,
    "network": Network,
    "disk": Disk,
    "load": Load,
    "swap": Swap,
    "pressure": Pressure,
}
"""All sources by their name in the configuration."""


def make_sources(names: Sequence[str], network_exclude: Sequence[str] = ()) -> tuple[Source, ...]:
    """Create the sources with the given names.

    Args:
        names: keys of `SOURCES`.
        network_exclude: shell patterns of network interfaces to exclude.

    Returns:
        The sources in the order of `names`.

    Raises:
        KeyError: a name is unknown.
    """
    return tuple(Network(network_exclude) if name == "network" else SOURCES[name]() for name in names)
