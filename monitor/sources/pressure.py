"""Linux pressure stall information: the share of the time in which some task waited for a resource."""

from __future__ import annotations

from monitor.sources.base import Rates, per_second
from monitor.sources.procfs import proc_text

RESOURCES = ("cpu", "memory", "io")


class Pressure:
    """Raw figures: microseconds in which some task waited, by resource, since boot."""

    name = "pressure"
    fields = tuple(f"pressure_{resource}" for resource in RESOURCES)

    def read(self) -> dict[str, int]:
        """What the kernel has; a resource that it does not watch is left out.

        Raises:
            OSError: it watches none (CONFIG_PSI off, or psi=0).
        """
        found: dict[str, int] = {}
        for resource in RESOURCES:
            try:
                some = proc_text(f"pressure/{resource}").splitlines()[0]
            except OSError:
                if resource == RESOURCES[-1] and not found:
                    raise
                continue
            found[resource] = int(some.rpartition("total=")[2])
        return found

    def rates(self, before: dict[str, int] | None, after: dict[str, int], seconds: float) -> Rates:
        rates: Rates = dict.fromkeys(self.fields)
        for resource in (before or {}).keys() & after.keys():
            waited = per_second(before[resource] / 1e6, after[resource] / 1e6, seconds) if before else None
            # the counter and our clock are not read at the same instant
            rates[f"pressure_{resource}"] = None if waited is None else min(waited, 1.0)
        return rates
