"""CPU source: busy, iowait and steal ratios from the kernel's accounting of CPU time.

Raw times are read instead of `psutil.cpu_percent`, which keeps a separate previous reading per thread.
"""

from __future__ import annotations

import psutil

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import Values

DECREASING_TIMES = frozenset({"idle", "iowait"})
"""Times that the kernel may correct downwards a little, without a reset."""


class Cpu:
    """Ratios of the time of all CPUs. A reading holds the seconds of each kind of time since boot.

    All time except idle and iowait counts as busy, steal included: in it the host had no CPU. The total
    contains every kind of time. `read` raises OSError, ValueError or TypeError for a malformed line.
    """

    name = "cpu"
    fields = fields_of_source("cpu")

    def read(self) -> dict[str, float]:
        times = psutil.cpu_times()
        # The kernel includes guest time in user time.
        return {name: value for name, value in times._asdict().items() if name not in ("guest", "guest_nice")}

    def compute(self, previous: dict[str, float] | None, current: dict[str, float], seconds: float) -> Values:  # noqa: ARG002
        elapsed = _elapsed(previous, current) if previous else {}
        total = sum(elapsed.values())
        if total <= 0:
            return dict.fromkeys(self.fields)
        idle, iowait, steal = (elapsed.get(name, 0.0) for name in ("idle", "iowait", "steal"))
        return {
            "cpu_usage": max(0.0, total - idle - iowait) / total,
            "cpu_iowait": iowait / total,
            "cpu_steal": steal / total,
        }


def _elapsed(previous: dict[str, float], current: dict[str, float]) -> dict[str, float]:
    """Return the seconds of each kind of time between two readings; empty after a reset of the counters."""
    elapsed = {name: current[name] - previous[name] for name in current}
    if any(seconds < 0 for name, seconds in elapsed.items() if name not in DECREASING_TIMES):
        return {}
    return {name: max(0.0, seconds) for name, seconds in elapsed.items()}
