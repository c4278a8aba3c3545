"""Swap source: ratio of swap space in use."""

from __future__ import annotations

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import Values
from monitor.sampling.sources.procfs import memory_figure, read_proc


class Swap:
    """Swap space in use as a ratio, 1 - SwapFree / SwapTotal. The reading is the value.

    The value is None if the host has no swap space, because 0 would mean that all swap space is free. `read` raises
    OSError, or ValueError if a figure is missing or malformed. psutil's function is not used: it also reads
    /proc/vmstat, which triples the cost, and warns if that file is missing.
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
