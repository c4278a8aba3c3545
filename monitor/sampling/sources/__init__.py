"""The sources of a sample, one file each.

The table is the only list of them: the configuration, the sampler and the tests all go by it.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.sampling.sources.base import Rates, Source
from monitor.sampling.sources.cpu import Cpu
from monitor.sampling.sources.disk import Disk
from monitor.sampling.sources.load import Load
from monitor.sampling.sources.memory import Memory
from monitor.sampling.sources.network import Network
from monitor.sampling.sources.pressure import Pressure
from monitor.sampling.sources.swap import Swap
from storage import SAMPLE_FIELDS

__all__ = ["RATIO_FIELDS", "SOURCES", "Rates", "Source", "make_sources"]

RATIO_FIELDS = frozenset(
    name
    for name in SAMPLE_FIELDS
    if name.startswith(("cpu_", "memory_", "swap_", "pressure_")) or name.endswith(("usage", "busy"))
)
"""The fields of a sample that lie between 0 and 1."""

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
    """The sources of these names, in their order.

    Args:
        names: keys of `SOURCES`.
        network_exclude: shell patterns of network interfaces to leave out.

    Raises:
        KeyError: there is no source of a name.
    """
    return tuple(Network(network_exclude) if name == "network" else SOURCES[name]() for name in names)
