"""How busy the CPUs are, from the kernel's own accounting of their time.

The raw times are read, and not a ready percentage, because those remember a reading for each thread that asks.
"""

from __future__ import annotations

import psutil

from monitor.sampling.sources.base import Rates

SLIPPING = frozenset({"idle", "iowait"})
"""Times that the kernel corrects backwards a little while all is well."""


class Cpu:
    """Shares of the time of all CPUs, ratios. Raw figures: seconds of each kind since boot.

    Busy is all but idle and waiting for I/O. A stolen second is among it: to the work that waits, that CPU was
    taken; how much of it there was has a field of its own. The total holds every kind. Reading raises OSError,
    ValueError or TypeError for a broken line.
    """

    name = "cpu"
    fields = ("cpu_usage", "cpu_iowait", "cpu_steal")

    def read(self) -> dict[str, float]:
        times = psutil.cpu_times()
        # The kernel counts a guest's time as user time too.
        return {name: value for name, value in times._asdict().items() if name not in ("guest", "guest_nice")}

    def rates(self, before: dict[str, float] | None, after: dict[str, float], seconds: float) -> Rates:  # noqa: ARG002
        spent = _spent(before, after) if before else {}
        total = sum(spent.values())
        if total <= 0:
            return dict.fromkeys(self.fields)
        idle, iowait, steal = (spent.get(name, 0.0) for name in ("idle", "iowait", "steal"))
        return {
            "cpu_usage": max(0.0, total - idle - iowait) / total,
            "cpu_iowait": iowait / total,
            "cpu_steal": steal / total,
        }


def _spent(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Seconds of each kind between two readings; empty where the counters were reset."""
    spent = {name: after[name] - before[name] for name in after}
    if any(seconds < 0 for name, seconds in spent.items() if name not in SLIPPING):
        return {}
    return {name: max(0.0, seconds) for name, seconds in spent.items()}
