"""Load source: 1-minute load average per CPU.

Unlike CPU usage it shows the length of the queue when all CPUs are busy.
"""

from __future__ import annotations

import os

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import Values
from monitor.sampling.sources.device_cache import DeviceCache
from monitor.sampling.sources.procfs import read_proc


class Load:
    """1-minute load average over the number of CPUs, which is also the reading; it may exceed 1.

    `read` raises OSError, ValueError or IndexError for a malformed line.
    """

    name = "load"
    fields = fields_of_source("load")

    def __init__(self) -> None:
        # Counting the CPUs reads sysfs.
        self._cpus = DeviceCache(lambda _: os.cpu_count() or 1)

    def read(self) -> float:
        # psutil calls libc, which reads the real /proc: a test could not replace it by a fixture.
        return float(read_proc("loadavg").split()[0]) / self._cpus.get(())

    def compute(self, previous: float | None, current: float, seconds: float) -> Values:  # noqa: ARG002
        return {"load_per_cpu": current}
