"""Limits of a fuzz run: memory, CPU time of the whole run, and steps of each input."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

MEMORY_BYTES = 300 * 2**20
"""Address space that inputs may add to that of the started interpreter."""

CPU_SECONDS = 900
"""CPU time after which the kernel ends a run that hangs outside of Python code."""

MAX_STEPS = 20_000_000
"""Calls and returns in Python code after which an input counts as a hang; the largest valid input needs a tenth."""


class TooManySteps(BaseException):
    """Raised in an input that needs more than MAX_STEPS steps; no handler of the program catches it."""


def limit_process() -> None:
    """Limit the address space and the CPU time of this process from now on."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    size = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


@contextmanager
def limited_steps() -> Iterator[None]:
    """Raise TooManySteps in this thread once the block needs more than MAX_STEPS calls and returns."""
    steps = 0

    def count(_frame: FrameType, _event: str, _argument: Any) -> None:
        nonlocal steps
        steps += 1
        if steps > MAX_STEPS:
            raise TooManySteps

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
