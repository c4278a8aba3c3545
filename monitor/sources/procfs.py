"""Where the kernel's figures lie, so that a test can put a fixture in their place.

psutil reads from `psutil.PROCFS_PATH`, which a test can point elsewhere; what psutil does not know is read there too.
"""

from __future__ import annotations

from pathlib import Path

import psutil

SYSFS = Path("/sys")


def proc_text(name: str) -> str:
    """The text of a file under /proc.

    Raises:
        OSError: it cannot be read.
    """
    # Five of these every second: a Path costs more than the reading.
    with open(f"{psutil.PROCFS_PATH}/{name}", encoding="ascii") as file:  # noqa: PTH123
        return file.read()
