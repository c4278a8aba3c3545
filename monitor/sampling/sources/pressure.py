"""Pressure source: fraction of time in which some task waited for a resource (Linux PSI).

Ratios are computed from the kernel's totals, because the kernel's averages cover at least 10 seconds.
"""

from __future__ import annotations

import re

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import MAX_TIME_RATIO, READ_DELAY, Values, time_ratio
from monitor.sampling.sources.counters import CounterMeter, Counts, limited_increase
from monitor.sampling.sources.procfs import read_proc

RESOURCES = ("cpu", "memory", "io")

SOME_TOTAL = re.compile(r"some .*\btotal=([0-9]+)\n", re.ASCII)
"""Line with the time in which at least one task waited; the line "full" counts time in which all tasks waited."""


class Pressure:
    """Source of the pressure metrics; if the file of a resource is missing or malformed, only its value is missing.

    A reading maps each resource to one count: the microseconds since boot in which some task waited for the resource.
    """

    name = "pressure"
    fields = fields_of_source("pressure")
    optional = False

    def __init__(self) -> None:
        self._meter = CounterMeter(_increase)

    def read(self) -> dict[str, Counts]:
        """Return the total for each resource whose file is valid.

        Raises:
            OSError: no file is valid, and the first cannot be read, for example because the kernel has no PSI
                (CONFIG_PSI off, or psi=0).
            ValueError: no file is valid, and the first is malformed.
        """
        totals: dict[str, Counts] = {}
        errors: list[Exception] = []
        for resource in RESOURCES:
            try:
                totals[resource] = (_some_total(read_proc(f"pressure/{resource}")),)
            except (OSError, ValueError) as error:
                errors.append(error)
        if not totals:
            raise errors[0]
        return totals

    def compute(self, reading: dict[str, Counts], at: float, max_age: float) -> Values:
        values: Values = dict.fromkeys(self.fields)
        for resource, step in self._meter.update(reading, at, max_age).items():
            if step is not None:
                values[f"pressure_{resource}"] = time_ratio(step.counts[0] / 1e6, step.seconds)
        return values


def _increase(_: str, earlier: Counts, later: Counts, seconds: float) -> Counts | None:
    return limited_increase(earlier, later, (1e6 * MAX_TIME_RATIO * (seconds + READ_DELAY),))


def _some_total(text: str) -> int:
    """Return the total of the line "some" in microseconds.

    Raises:
        ValueError: the text does not begin with that line.
    """
    match = SOME_TOTAL.match(text)
    if not match:
        raise ValueError(f"not a pressure file: {text[:40]!r}")
    return int(match[1])
