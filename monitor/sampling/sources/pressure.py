"""Linux pressure stall information: the share of the time in which some task waited for a resource.

It is made of the kernel's running totals, as its own averages lag by 10 seconds and more.
"""

from __future__ import annotations

from monitor.sampling.sources.base import Rates, per_second
from monitor.sampling.sources.procfs import read_proc

RESOURCES = ("cpu", "memory", "io")


class Pressure:
    """Ratios of the time. Raw figures: microseconds in which some task waited, by resource, since boot.

    A kernel that has some of the files gives those; one that has none makes the source fail, so that it shows.
    """

    name = "pressure"
    fields = tuple(f"pressure_{resource}" for resource in RESOURCES)

    def read(self) -> dict[str, int]:
        """What the kernel has; a resource that it does not watch is left out.

        Raises:
            OSError: it watches none (CONFIG_PSI off, or psi=0).
            ValueError: a file is not what it should be.
        """
        found: dict[str, int] = {}
        for resource in RESOURCES:
            try:
                text = read_proc(f"pressure/{resource}")
            except OSError:
                if resource == RESOURCES[-1] and not found:
                    raise
                continue
            found[resource] = _total(text)
        return found

    def rates(self, before: dict[str, int] | None, after: dict[str, int], seconds: float) -> Rates:
        rates: Rates = dict.fromkeys(self.fields)
        for resource in (before or {}).keys() & after.keys():
            waited = per_second(before[resource] / 1e6, after[resource] / 1e6, seconds) if before else None
            # the counter and our clock are not read at the same instant
            rates[f"pressure_{resource}"] = None if waited is None else min(waited, 1.0)
        return rates


def _total(text: str) -> int:
    """The microseconds of the line "some"; the line "full" is of the time in which all tasks waited."""
    some, _, _ = text.partition("\n")
    if not some.startswith("some "):
        raise ValueError(f"no line of pressure: {some[:40]!r}")
    return int(some.rpartition("total=")[2])
