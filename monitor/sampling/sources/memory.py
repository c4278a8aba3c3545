"""Memory source: ratio of memory that is unavailable to a new program."""

from __future__ import annotations

import psutil

from monitor.sampling.metric_catalog import fields_of_source
from monitor.sampling.sources.base import Values


class Memory:
    """1 - available / total, which is also the reading; caches count as available.

    `read` raises OSError, or KeyError, ValueError, IndexError or ZeroDivisionError for a malformed table.
    """

    name = "memory"
    fields = fields_of_source("memory")

    def read(self) -> float:
        memory = psutil.virtual_memory()
        return 1 - memory.available / memory.total

    def compute(self, previous: float | None, current: float, seconds: float) -> Values:  # noqa: ARG002
        return {"memory_usage": current}
