"""Section [capacity] of config.toml: predictions of full file systems and exhausted memory."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.config.list_options import strings
from monitor.config.options import boolean, number


@dataclass(frozen=True)
class CapacitySection:
    """Section [capacity]: predictions of full file systems and exhausted memory."""

    enabled: bool = boolean(True, "Record the use of file systems and memory, and predict when they are exhausted.")
    filesystem_limit: float = number(
        0.95, "Use of a file system, a ratio, whose passing within a day is predicted.", above=0, maximum=1
    )
    memory_limit: float = number(
        0.95, "Use of the memory, a ratio, whose passing within an hour is predicted.", above=0, maximum=1
    )
    exclude: tuple[str, ...] = strings(
        (),
        "Mount points to ignore, as shell patterns. Network, read-only and pseudo file systems are always ignored.",
        example=("/mnt/backup*",),
    )
    types: tuple[str, ...] = strings(
        (), "Further types of file systems to watch, which are ignored by default.", example=("tmpfs",)
    )
