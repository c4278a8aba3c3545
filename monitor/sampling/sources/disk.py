"""Disk source: throughput of all physical devices and utilisation of the busiest one.

The kernel also lists partitions and volumes, which would count the same bytes again.
"""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources import procfs
from monitor.sampling.sources.base import Values, per_second
from monitor.sampling.sources.device_cache import DeviceCache

EXCLUDED_PREFIXES = ("loop", "ram", "zram", "fd", "sr", "zd")
"""Names of virtual and removable devices, and of ZFS volumes (zd), whose disks sysfs does not link."""


@dataclass(frozen=True)
class Counters:
    """Counters of one device since boot: bytes read, bytes written, milliseconds busy."""

    read: int
    write: int
    busy: int


class Disk:
    """Bytes per second over all physical devices, and the busy ratio of the busiest one.

    A reading holds the counters by device. `read` raises OSError, or psutil's ValueError or NotImplementedError if
    the kernel's table is missing or malformed.
    """

    name = "disk"
    fields = fields_of_source("disk")

    def __init__(self) -> None:
        self._physical = DeviceCache(lambda names: frozenset(name for name in names if _is_physical(name)))

    def read(self) -> dict[str, Counters]:
        table = psutil.disk_io_counters(perdisk=True, nowrap=False)
        physical = self._physical.get(table)
        return {
            name: Counters(row.read_bytes, row.write_bytes, row.busy_time)
            for name, row in table.items()
            if name in physical
        }

    def compute(self, previous: dict[str, Counters] | None, current: dict[str, Counters], seconds: float) -> Values:
        before = previous or {}
        pairs = [(before[name], current[name]) for name in before.keys() & current.keys()]
        read = _rates(pairs, "read", seconds)
        write = _rates(pairs, "write", seconds)
        busy = _rates(pairs, "busy", seconds)
        return {
            "disk_read": sum(read) if read else None,
            "disk_write": sum(write) if write else None,
            "disk_busy": min(1.0, max(busy) / 1000) if busy else None,
        }


def _rates(pairs: list[tuple[Counters, Counters]], counter: str, seconds: float) -> list[float]:
    """Return the rates of a counter over the devices whose counter did not decrease."""
    rates = (per_second(getattr(before, counter), getattr(after, counter), seconds) for before, after in pairs)
    return [rate for rate in rates if rate is not None]


def _is_physical(name: str) -> bool:
    """Return True for a whole device that is not composed of other devices, according to sysfs."""
    device = procfs.SYSFS / "block" / name.replace("/", "!")
    if name.startswith(EXCLUDED_PREFIXES) or not device.is_dir():
        return False
    slaves = device / "slaves"
    return not (slaves.is_dir() and any(slaves.iterdir()))
