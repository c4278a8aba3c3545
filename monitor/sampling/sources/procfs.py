"""Access to procfs and sysfs at locations that a test can replace by a fixture.

Files are read from `psutil.PROCFS_PATH`. psutil's own tables are not used: it rejects a table for one malformed row,
accepts truncated rows, and replaces implausible figures by others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")

SYSFS = Path("/sys")

MAX_BYTES = 8192
"""Largest number of bytes read of a file that stays open; none read here has a tenth of it."""

MAX_WHOLE_BYTES = 2**22
"""Largest number of bytes read of a table, which has rows for all CPUs or devices."""

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


def read_whole_proc(name: str, until: str = "") -> str:
    """Return the text of a table under /proc, which the kernel may return in several parts.

    Args:
        name: path relative to /proc.
        until: start of a line after which nothing is needed; empty for the whole file.

    Raises:
        OSError: the file cannot be read.
    """
    stop = f"\n{until}".encode() if until else None
    content = bytearray()
    descriptor = os.open(f"{psutil.PROCFS_PATH}/{name}", os.O_RDONLY)
    try:
        while len(content) < MAX_WHOLE_BYTES and not (stop and stop in content):
            part = os.read(descriptor, 2**16)
            if not part:
                break
            content += part
    finally:
        os.close(descriptor)
    # A row with other bytes is malformed; the rows next to it may be intact.
    return content.decode("ascii", "replace")


def parse_rows(lines: Iterable[str], parse: Callable[[str], tuple[str, T]]) -> dict[str, T]:
    """Return the rows of a table by name, without malformed ones.

    Args:
        lines: rows with their line ends; one without is truncated.
        parse: returns the name and the content of a row, or raises ValueError.

    Raises:
        ValueError: there are rows, and all are malformed.
    """
    rows: dict[str, T] = {}
    problem: ValueError | None = None
    for line in lines:
        try:
            if not line.endswith("\n"):
                raise ValueError(f"truncated row: {line[:40]!r}")
            name, content = parse(line)
        except ValueError as error:
            problem = error
        else:
            rows[name] = content
    if problem is not None and not rows:
        raise problem
    return rows


def memory_figure(text: str, key: str) -> int:
    """Return a figure of the text of meminfo in kB.

    Raises:
        ValueError: it is missing or malformed.
    """
    start = 0 if text.startswith(f"{key}:") else text.find(f"\n{key}:") + 1
    line = text[start : text.find("\n", start) + 1]
    name, _, figure = line.partition(":")
    number = figure.removesuffix(" kB\n").strip()
    if name != key or not figure.endswith(" kB\n") or not number.isdecimal():
        raise ValueError(f"no figure {key} in meminfo")
    return int(number)
