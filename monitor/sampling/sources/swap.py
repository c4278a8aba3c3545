"""Swap source: ratio of swap space in use."""

from __future__ import annotations

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import Values
from monitor.sampling.sources.procfs import memory_figure, read_proc


class Swap:
    """Source of the ratio of swap space in use, 1 - SwapFree / SwapTotal.

    `read` computes the ratio, and `compute` only adds the field name. The ratio is None on a host without swap space:
    0 would mean that all swap space is free. `read` raises OSError if /proc/meminfo cannot be read, and ValueError if
    a figure is missing or malformed. psutil.swap_memory is not used: it also reads /proc/vmstat, which triples the
    cost, and warns if that file is missing.
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
