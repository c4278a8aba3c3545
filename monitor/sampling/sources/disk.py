"""What the disks do, each byte counted once.

The kernel lists partitions and volumes beside the devices they lie on, and would count the same bytes in each.
"""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from monitor.sampling.sources import procfs
from monitor.sampling.sources.base import Rates, per_second
from monitor.sampling.sources.device_cache import DeviceCache

VIRTUAL = ("loop", "ram", "zram", "fd", "sr", "zd")
"""No disks, or (zd, a volume of ZFS) lying on disks without a link that says so."""


@dataclass(frozen=True)
class Counters:
    """Since boot: bytes read, bytes written, milliseconds busy."""

    read: int
    write: int
    busy: int


class Disk:
    """Bytes/s over all physical devices, and the busy share of the time of the busiest (ratio).

    Raw figures: counters by device. Reading raises OSError, ValueError or NotImplementedError of psutil where the
    kernel gives no table, or one that is none.
    """

    name = "disk"
    fields = ("disk_read", "disk_write", "disk_busy")

    def __init__(self) -> None:
        self._physical = DeviceCache(lambda names: frozenset(name for name in names if _physical(name)))

    def read(self) -> dict[str, Counters]:
        counters = psutil.disk_io_counters(perdisk=True, nowrap=False)
        physical = self._physical.of(counters)
        return {
            name: Counters(found.read_bytes, found.write_bytes, found.busy_time)
            for name, found in counters.items()
            if name in physical
        }

    def rates(self, before: dict[str, Counters] | None, after: dict[str, Counters], seconds: float) -> Rates:
        rates: Rates = dict.fromkeys(self.fields)
        pairs = [(before[name], after[name]) for name in (before or {}).keys() & after.keys()] if before else []
        for field, counter in (("disk_read", "read"), ("disk_write", "write")):
            known = _known(pairs, counter, seconds)
            rates[field] = sum(known) if known else None
        busy = _known(pairs, "busy", seconds)
        rates["disk_busy"] = min(1.0, max(busy) / 1000) if busy else None
        return rates


def _known(pairs: list[tuple[Counters, Counters]], counter: str, seconds: float) -> list[float]:
    """The rates of a counter on the devices where it did not go back."""
    rates = (per_second(getattr(first, counter), getattr(second, counter), seconds) for first, second in pairs)
    return [rate for rate in rates if rate is not None]


def _physical(name: str) -> bool:
    """Whether sysfs knows this as a whole device that is not made of others."""
    device = procfs.SYSFS / "block" / name.replace("/", "!")
    if name.startswith(VIRTUAL) or not device.is_dir():
        return False
    slaves = device / "slaves"
    return not (slaves.is_dir() and any(slaves.iterdir()))
