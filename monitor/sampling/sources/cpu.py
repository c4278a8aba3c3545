"""CPU source: busy, iowait and steal ratios from the kernel's counters of CPU time.

A reading is only used if the time counted per CPU is about 0.5 to 1.5 times the time elapsed.
"""

from __future__ import annotations

import os

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import MAX_TIME_RATIO, READ_DELAY, Values
from monitor.sampling.sources.counters import CounterMeter, Counts
from monitor.sampling.sources.procfs import read_whole_proc

KINDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
"""Kinds of CPU time, in the order of /proc/stat. The guest times that follow are part of user and nice."""

MIN_KINDS = 4
"""Number of kinds that every kernel reports."""

IDLE, IOWAIT, STEAL = (KINDS.index(kind) for kind in ("idle", "iowait", "steal"))
CPUS = len(KINDS)
"""Indices of the idle, iowait and steal time and of the number of CPUs in a reading."""

MIN_TIME_RATIO = 0.5
"""Smallest plausible ratio of CPU time to the time elapsed: some kernels do not count all CPU time."""

CORRECTION = 0.02
"""Largest decrease in seconds per CPU that counts as a correction by the kernel.

The limit applies to iowait time, and to the sum of idle and iowait time.
"""

TICKS = os.sysconf("SC_CLK_TCK")
"""Ticks per second; /proc/stat counts CPU time in ticks."""


class Cpu:
    """Source of the CPU metrics, as ratios of the total time of all CPUs.

    All time except idle and iowait counts as busy, including steal, in which the hypervisor ran other guests. A
    reading contains the ticks of each kind since boot, 0 for kinds that the kernel lacks, and the number of CPUs. The
    metric of a kind that the kernel lacks is missing. `read` raises OSError, or ValueError if the table is malformed
    or all its counters are 0, as in some sandboxes.
    """

    name = "cpu"
    fields = fields_of_source("cpu")
    optional = False

    def __init__(self) -> None:
        self._meter = CounterMeter(_increase)
        self._kinds = len(KINDS)

    def read(self) -> Counts:
        head, marker, table = f"\n{read_whole_proc('stat', until='intr')}".partition("\ncpu ")
        line, complete, _ = table.partition("\n")
        ticks = tuple(map(int, line.split()[: len(KINDS)]))
        if not (marker and complete) or len(ticks) < MIN_KINDS:
            raise ValueError("no complete line of CPU times in stat")
        self._kinds = len(ticks)
        if not any(ticks):
            raise ValueError("all CPU times in stat are 0")
        cpus = f"{head}\n{table}".count("\ncpu") or os.cpu_count() or 1
        return (*ticks, *(0,) * (len(KINDS) - len(ticks)), cpus)

    def compute(self, reading: Counts, at: float, max_age: float) -> Values:
        step = self._meter.update({self.name: reading}, at, max_age).get(self.name)
        if step is None:
            return dict.fromkeys(self.fields)
        ticks = step.counts[: len(KINDS)]
        total = sum(ticks)
        iowait = ticks[IOWAIT]
        has_iowait = self._kinds > IOWAIT and iowait >= -_correction(step.counts[CPUS])
        return {
            "cpu_usage": max(0, total - ticks[IDLE] - iowait) / total,
            "cpu_iowait": max(0, iowait) / total if has_iowait else None,
            "cpu_steal": ticks[STEAL] / total if self._kinds > STEAL else None,
        }


def _increase(_: str, earlier: Counts, later: Counts, seconds: float) -> Counts | None:
    """Return the increase in ticks of each kind of CPU time, followed by the smaller of the two numbers of CPUs.

    Returns None if busy time decreased, if idle time decreased by more than a correction by the kernel, or if the CPU
    time does not match the time elapsed.
    """
    cpus = min(earlier[CPUS], later[CPUS])
    most_cpus = max(earlier[CPUS], later[CPUS])
    ticks = tuple(map(int.__sub__, later[: len(KINDS)], earlier[: len(KINDS)]))
    # The kernel may move time of a sleeping CPU between idle and iowait, so only their sum never decreases.
    idle = ticks[IDLE] + ticks[IOWAIT]
    busy = sum(ticks) - idle
    if idle < -_correction(cpus) or min(ticks[:IDLE] + ticks[IOWAIT + 1 :]) < 0:
        return None
    least = MIN_TIME_RATIO * (seconds - READ_DELAY) * cpus * TICKS
    most = MAX_TIME_RATIO * (seconds + READ_DELAY) * most_cpus * TICKS
    if not max(least, 1) <= busy + idle <= most:
        return None
    return (*ticks, cpus)


def _correction(cpus: int) -> float:
    return CORRECTION * TICKS * cpus
