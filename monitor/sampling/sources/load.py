"""Load source: 1-minute load average per CPU.

Unlike CPU usage it shows the length of the queue when all CPUs are busy.
"""

from __future__ import annotations

import os

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import Values
from monitor.sampling.sources.device_cache import DeviceCache
from monitor.sampling.sources.procfs import read_proc

COLUMNS = 5
"""Columns of /proc/loadavg: three averages, tasks, the newest process id."""

COUNT_CPUS_AFTER = 6
"""Samples after which CPUs are counted again, as some may have been plugged in."""


class Load:
    """1-minute load average over the number of CPUs, which is also the reading; it may exceed 1.

    `read` raises OSError, or ValueError for a malformed line.
    """

    name = "load"
    fields = fields_of_source("load")
    optional = False

    def __init__(self) -> None:
        # Counting the CPUs reads sysfs.
        self._cpus = DeviceCache(lambda _: os.cpu_count() or 1, COUNT_CPUS_AFTER)

    def read(self) -> float:
        # psutil calls libc, which reads the real /proc: a test could not replace it by a fixture.
        columns = read_proc("loadavg").split()
        if len(columns) != COLUMNS:
            raise ValueError(f"{len(columns)} columns in loadavg instead of {COLUMNS}")
        return float(columns[0]) / self._cpus.get(())

    def compute(self, reading: float, at: float, max_age: float) -> Values:  # noqa: ARG002
        return {"load_per_cpu": reading}
