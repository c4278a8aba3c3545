"""How much of the memory is in use, by what the kernel says a new program could still get."""

from __future__ import annotations

import psutil

from monitor.sources.base import Rates


class Memory:
    """1 - available / total. The raw figure is that ratio."""

    name = "memory"
    fields = ("memory_usage",)

    def read(self) -> float:
        memory = psutil.virtual_memory()
        return 1 - memory.available / memory.total

    def rates(self, before: float | None, after: float, seconds: float) -> Rates:  # noqa: ARG002
        return {"memory_usage": after}
