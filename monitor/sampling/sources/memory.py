"""How much of the memory is in use, by what the kernel says a new program could still get.

What lies in caches is not in use: it is given up when asked for.
"""

from __future__ import annotations

import psutil

from monitor.sampling.sources.base import Rates


class Memory:
    """1 - available / total, which is also the raw figure.

    Reading raises OSError, or KeyError, ValueError, IndexError or ZeroDivisionError for a table that is no table.
    """

    name = "memory"
    fields = ("memory_usage",)

    def read(self) -> float:
        memory = psutil.virtual_memory()
        return 1 - memory.available / memory.total

    def rates(self, before: float | None, after: float, seconds: float) -> Rates:  # noqa: ARG002
        return {"memory_usage": after}
