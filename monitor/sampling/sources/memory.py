"""Memory source: fraction of the memory that is unavailable to a new program."""

from __future__ import annotations

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import Values
from monitor.sampling.sources.procfs import memory_figure, read_proc

MAX_RESERVED = 0.1
"""Largest fraction of the memory that may be free while MemAvailable is 0, because the kernel reserves it."""


class Memory:
    """Source of the ratio of memory in use, 1 - MemAvailable / MemTotal; caches count as available.

    `read` computes the ratio, and `compute` only adds the field name. `MemAvailable` is required: estimates from
    other figures differ from it by tens of percentage points. `read` raises OSError, or ValueError if a figure is
    missing or malformed, `MemTotal` is 0, or `MemAvailable` is 0 although more than MAX_RESERVED of the memory is
    free.
    """

    name = "memory"
    fields = fields_of_source("memory")
    optional = False

    def read(self) -> float:
        text = read_proc("meminfo")
        total = memory_figure(text, "MemTotal")
        available = memory_figure(text, "MemAvailable")
        if not total:
            raise ValueError("MemTotal is 0")
        if not available and memory_figure(text, "MemFree") > MAX_RESERVED * total:
            raise ValueError("MemAvailable is 0 although memory is free")
        return 1 - available / total

    def compute(self, reading: float, at: float, max_age: float) -> Values:  # noqa: ARG002
        return {"memory_usage": reading}
