"""How busy the CPUs are, from the kernel's own accounting of their time."""

from __future__ import annotations

from typing import Any

import psutil

from monitor.sources.base import Rates


class Cpu:
    """Shares of the time of all CPUs. Raw figures: seconds of each kind since boot."""

    name = "cpu"
    fields = ("cpu_usage", "cpu_iowait", "cpu_steal")

    def read(self) -> dict[str, float]:
        times = psutil.cpu_times()
        # The kernel counts a guest's time as user time too.
        return {name: value for name, value in times._asdict().items() if name not in ("guest", "guest_nice")}

    def rates(self, before: dict[str, float] | None, after: dict[str, float], seconds: float) -> Rates:  # noqa: ARG002
        if before is None:
            return dict.fromkeys(self.fields)
        # iowait and idle are known to step back a little on Linux: less than nothing is nothing.
        spent: dict[str, Any] = {name: max(0.0, after[name] - before[name]) for name in after}
        total = sum(spent.values())
        if total <= 0:
            return dict.fromkeys(self.fields)
        idle, iowait, steal = (spent.get(name, 0.0) for name in ("idle", "iowait", "steal"))
        return {
            # Stolen time is wanted and not had: to the work that waits, this CPU was busy.
            "cpu_usage": (total - idle - iowait) / total,
            "cpu_iowait": iowait / total,
            "cpu_steal": steal / total,
        }
