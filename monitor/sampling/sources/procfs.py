"""Where the kernel's figures lie, so that a test can put a fixture in their place.

psutil reads from `psutil.PROCFS_PATH`, which a test can point elsewhere; what psutil does not know is read there too.
"""

from __future__ import annotations

import os
from pathlib import Path

import psutil

SYSFS = Path("/sys")

LARGEST = 8192
"""Bytes; no file that is read here has a tenth of it."""

_opened: dict[str, int] = {}


def read_proc(name: str) -> str:
    """The text of a file under /proc.

    The file stays open: the kernel writes it anew for each reading from its beginning, and opening it costs several
    times as much as that. For one thread.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no text.
    """
    path = f"{psutil.PROCFS_PATH}/{name}"
    if path not in _opened:
        _opened[path] = os.open(path, os.O_RDONLY)
    try:
        return os.pread(_opened[path], LARGEST, 0).decode("ascii")
    except OSError:
        os.close(_opened.pop(path))
        raise
