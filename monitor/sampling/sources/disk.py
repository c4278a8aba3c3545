"""Disk source: throughput of all physical devices, and utilisation of the busiest device.

Partitions and volumes, which the kernel also lists, are left out: they would count the same bytes twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources import procfs
from monitor.sampling.sources.base import READ_DELAY, Values
from monitor.sampling.sources.counters import CounterMeter, Counts, Step, limited_increase
from monitor.sampling.sources.device_cache import DeviceCache

EXCLUDED_PREFIXES = ("loop", "ram", "zram", "fd", "sr", "zd", "drbd")
"""Name prefixes of virtual and removable devices. sysfs does not list the disks below ZFS volumes (zd) and DRBD."""

NVME_PATH = re.compile(r"(nvme\d+)c\d+(n\d+)", re.ASCII)
"""Name of one path to an NVMe namespace: nvme0c1n2 is a path of nvme0n2."""

SECTOR = 512
"""Bytes per sector in /proc/diskstats, independent of the sector size of the device."""

MIN_COLUMNS = 14
"""Smallest number of columns of /proc/diskstats since Linux 2.6.25."""

SECTORS_READ, SECTORS_WRITTEN, MILLISECONDS_BUSY = 5, 9, 12
"""Indices of the columns of /proc/diskstats (Documentation/admin-guide/iostats.rst)."""

MAX_DEVICE_THROUGHPUT = 1e11
"""Upper bound for one device in bytes per second: three times the rate of an NVMe device on PCIe 6.0."""

MAX_BOOKED_LATER = 600.0
"""Largest number of busy seconds that older kernels add at once at the end of a long operation."""

WRAP = 2**32
"""Modulus of the kernel's counter of busy milliseconds."""


class Disk:
    """Source of the disk metrics: throughput of all physical devices, and the busy ratio of the busiest device.

    A reading maps each physical device to its sectors read, sectors written and busy milliseconds since boot. `read`
    raises OSError, or ValueError if /proc/diskstats is malformed.
    """

    name = "disk"
    fields = fields_of_source("disk")
    optional = False

    def __init__(self) -> None:
        self._physical = DeviceCache(_physical_devices)
        self._meter = CounterMeter(_increase)

    def read(self) -> dict[str, Counts]:
        table = procfs.parse_rows(procfs.read_whole_proc("diskstats").splitlines(keepends=True), _parse_row)
        physical = self._physical.get(table)
        return {name: counts for name, counts in table.items() if name in physical}

    def compute(self, reading: dict[str, Counts], at: float, max_age: float) -> Values:
        steps = list(self._meter.update(reading, at, max_age).values())
        known = [step for step in steps if step is not None]
        if not known or len(known) < len(steps):
            return dict.fromkeys(self.fields)
        return {
            "disk_read": SECTOR * sum(step.rate(0) for step in known),
            "disk_write": SECTOR * sum(step.rate(1) for step in known),
            "disk_busy": max(map(_busy_ratio, known)),
        }


def _parse_row(line: str) -> tuple[str, Counts]:
    columns = line.split()
    if len(columns) < MIN_COLUMNS:
        raise ValueError(f"not a row of diskstats: {line[:40]!r}")
    counts = (SECTORS_READ, SECTORS_WRITTEN, MILLISECONDS_BUSY)
    return columns[2], tuple(int(columns[column]) for column in counts)


def _increase(_: str, earlier: Counts, later: Counts, seconds: float) -> Counts | None:
    most = MAX_DEVICE_THROUGHPUT / SECTOR * (seconds + READ_DELAY)
    sectors = limited_increase(earlier[:2], later[:2], (most, most))
    milliseconds = (later[2] - earlier[2]) % WRAP
    if sectors is None or milliseconds > 1000 * (seconds + MAX_BOOKED_LATER):
        return None
    return (*sectors, milliseconds)


def _busy_ratio(step: Step) -> float:
    return min(step.rate(2) / 1000, 1.0)


def _physical_devices(names: Iterable[str]) -> frozenset[str]:
    """Return the physical devices among `names`; for an NVMe namespace with several paths, only the path devices.

    All kernels count the bytes at the path device. Newer kernels also count them at the namespace.
    """
    paths = filter(None, map(NVME_PATH.fullmatch, names))
    namespaces = {path.expand(r"\1\2") for path in paths}
    return frozenset(name for name in names if name not in namespaces and _is_physical(name))


def _is_physical(name: str) -> bool:
    """Return True if a device is a whole disk in sysfs without underlying devices, and its prefix is not excluded."""
    device = procfs.SYSFS / "block" / name.replace("/", "!")
    if name.startswith(EXCLUDED_PREFIXES) or not device.is_dir():
        return False
    slaves = device / "slaves"
    return not (slaves.is_dir() and any(slaves.iterdir()))
