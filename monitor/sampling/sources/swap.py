"""How much of the swap space is in use.

A host without any has no such figure: 0 would say that there is room left.
"""

from __future__ import annotations

from monitor.sampling.sources.base import Rates
from monitor.sampling.sources.procfs import read_proc


class Swap:
    """1 - free / total, a ratio, which is also the raw figure; None without swap space.

    psutil's figure also counts pages in and out, for which it reads all of /proc/vmstat (three times the work) and
    warns where there is none. Reading raises OSError, or KeyError, ValueError or IndexError for a broken table.
    """

    name = "swap"
    fields = ("swap_usage",)

    def read(self) -> float | None:
        text = read_proc("meminfo")
        total, free = (int(text.partition(f"{key}:")[2].split(maxsplit=1)[0]) for key in ("SwapTotal", "SwapFree"))
        return 1 - free / total if total else None

    def rates(self, before: float | None, after: float | None, seconds: float) -> Rates:  # noqa: ARG002
        return {"swap_usage": after}
