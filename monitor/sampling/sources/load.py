"""Load source: 1-minute load average per CPU.

Unlike CPU usage, the load average shows the length of the run queue when all CPUs are busy.
"""

from __future__ import annotations

import os

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import Values
from monitor.sampling.sources.device_cache import DeviceCache
from monitor.sampling.sources.procfs import read_proc

COLUMNS = 5
"""Number of columns of /proc/loadavg: three averages, the task counts and the newest process ID."""

COUNT_CPUS_AFTER = 6
"""Number of samples after which the CPUs are counted again, because CPUs may be added at run time."""


class Load:
    """Source of the 1-minute load average divided by the number of CPUs; the value may exceed 1.

    `read` computes the value, and `compute` only adds the field name. `read` raises OSError, or ValueError if
    /proc/loadavg is malformed.
    """

    name = "load"
    fields = fields_of_source("load")
    optional = False

    def __init__(self) -> None:
        # Counting the CPUs reads sysfs.
        self._cpus = DeviceCache(lambda _: os.cpu_count() or 1, COUNT_CPUS_AFTER)

    def read(self) -> float:
        # libc, which psutil calls, reads /proc only.
        columns = read_proc("loadavg").split()
        if len(columns) != COLUMNS:
            raise ValueError(f"{len(columns)} columns in loadavg instead of {COLUMNS}")
        return float(columns[0]) / self._cpus.get(())

    def compute(self, reading: float, at: float, max_age: float) -> Values:  # noqa: ARG002
        return {"load_per_cpu": reading}
