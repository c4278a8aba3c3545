"""Swap source: ratio of swap space in use."""

from __future__ import annotations

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import Values
from monitor.sampling.sources.procfs import memory_figure, read_proc


class Swap:
    """1 - free / total, which is also the reading; None without swap space, where 0 would mean free space.

    psutil's function also reads all of /proc/vmstat, which triples the cost and warns where that file is missing.
    `read` raises OSError, or ValueError if a figure is missing or malformed.
    """

    name = "swap"
    fields = fields_of_source("swap")
    optional = True

    def read(self) -> float | None:
        text = read_proc("meminfo")
        total = memory_figure(text, "SwapTotal")
        free = memory_figure(text, "SwapFree")
        return 1 - free / total if total else None

    def compute(self, reading: float | None, at: float, max_age: float) -> Values:  # noqa: ARG002
        return {"swap_usage": reading}
