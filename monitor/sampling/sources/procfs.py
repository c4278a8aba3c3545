"""Access to procfs and sysfs at locations that a test can replace by a fixture.

psutil reads `psutil.PROCFS_PATH`; files that psutil does not cover are read from the same directory.
"""

from __future__ import annotations

import os
from pathlib import Path

import psutil

SYSFS = Path("/sys")

MAX_BYTES = 8192
"""Largest number of bytes read; no file read here has a tenth of it."""

_descriptors: dict[str, int] = {}


def read_proc(name: str) -> str:
    """Return the text of a file under /proc.

    The file stays open: the kernel generates its content for each read from offset 0, and opening it costs several
    times as much. For use by one thread.

    Args:
        name: path relative to /proc.

    Raises:
        OSError: the file cannot be read.
        ValueError: the content is not ASCII.
    """
    path = f"{psutil.PROCFS_PATH}/{name}"
    if path not in _descriptors:
        _descriptors[path] = os.open(path, os.O_RDONLY)
    try:
        return os.pread(_descriptors[path], MAX_BYTES, 0).decode("ascii")
    except OSError:
        os.close(_descriptors.pop(path))
        raise
