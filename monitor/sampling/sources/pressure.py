"""Pressure source: ratio of time in which some task waited for a resource (Linux PSI).

It uses the kernel's running totals, because its averages lag by at least 10 seconds.
"""

from __future__ import annotations

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import Values, per_second
from monitor.sampling.sources.procfs import read_proc

RESOURCES = ("cpu", "memory", "io")


class Pressure:
    """Ratios of time. A reading holds, by resource, the microseconds since boot in which some task waited.

    If the kernel provides some of the files, the others are missing. If it provides none, the source fails, so that
    the operator sees it.
    """

    name = "pressure"
    fields = fields_of_source("pressure")

    def read(self) -> dict[str, int]:
        """Return the totals of the resources that the kernel tracks.

        Raises:
            OSError: the kernel tracks none (CONFIG_PSI off, or psi=0).
            ValueError: a file is malformed.
        """
        totals: dict[str, int] = {}
        for resource in RESOURCES:
            try:
                text = read_proc(f"pressure/{resource}")
            except OSError:
                if resource == RESOURCES[-1] and not totals:
                    raise
                continue
            totals[resource] = _some_total(text)
        return totals

    def compute(self, previous: dict[str, int] | None, current: dict[str, int], seconds: float) -> Values:
        before = previous or {}
        values: Values = dict.fromkeys(self.fields)
        for resource in before.keys() & current.keys():
            ratio = per_second(before[resource] / 1e6, current[resource] / 1e6, seconds)
            # Counter and clock are not read at the same time.
            values[f"pressure_{resource}"] = None if ratio is None else min(ratio, 1.0)
        return values


def _some_total(text: str) -> int:
    """Return the total of the line "some" in microseconds; the line "full" counts time in which all tasks waited."""
    some, _, _ = text.partition("\n")
    if not some.startswith("some "):
        raise ValueError(f"not a pressure file: {some[:40]!r}")
    return int(some.rpartition("total=")[2])
