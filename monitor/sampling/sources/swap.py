"""Swap source: ratio of swap space in use."""

from __future__ import annotations

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import Values
from monitor.sampling.sources.procfs import read_proc


class Swap:
    """1 - free / total, which is also the reading; None without swap space, where 0 would mean free space.

    psutil's function also reads all of /proc/vmstat, which triples the cost and warns where that file is missing.
    `read` raises OSError, or KeyError, ValueError or IndexError for a malformed table.
    """

    name = "swap"
    fields = fields_of_source("swap")

    def read(self) -> float | None:
        text = read_proc("meminfo")
        total, free = (int(text.partition(f"{key}:")[2].split(maxsplit=1)[0]) for key in ("SwapTotal", "SwapFree"))
        return 1 - free / total if total else None

    def compute(self, previous: float | None, current: float | None, seconds: float) -> Values:  # noqa: ARG002
        return {"swap_usage": current}
