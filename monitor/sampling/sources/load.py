"""How many tasks want to run, by the kernel's own average over a minute.

It tells how long the queue is when the CPUs have no more to give, which their usage cannot.
"""

from __future__ import annotations

import os

from monitor.sampling.sources.base import Rates
from monitor.sampling.sources.device_cache import DeviceCache
from monitor.sampling.sources.procfs import read_proc


class Load:
    """The 1-minute load average over the number of CPUs; 1 is as many tasks as CPUs, and more is possible.

    Reading raises OSError, ValueError or IndexError where the kernel's line is broken.
    """

    name = "load"
    fields = ("load_per_cpu",)

    def __init__(self) -> None:
        # asking libc costs it a reading of sysfs
        self._cpus = DeviceCache(lambda _: os.cpu_count() or 1)

    def read(self) -> float:
        # psutil asks libc, which asks the real /proc: a fixture could not be read through it.
        return float(read_proc("loadavg").split()[0]) / self._cpus.of(())

    def rates(self, before: float | None, after: float, seconds: float) -> Rates:  # noqa: ARG002
        return {"load_per_cpu": after}
