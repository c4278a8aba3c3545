"""Access to procfs and sysfs: bounded reads, and parsers that skip malformed rows.

The environment variables MONITOR_PROCFS and MONITOR_SYSFS name the trees to read: in a container, those of the host.
psutil's parsers are not used: they reject a table because of one malformed row, accept truncated rows, and replace
implausible figures.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from monitor.errors import ConfigError

T = TypeVar("T")

PROCFS_VARIABLE = "MONITOR_PROCFS"
SYSFS_VARIABLE = "MONITOR_SYSFS"

PROCFS = os.environ.get(PROCFS_VARIABLE) or "/proc"
SYSFS = Path(os.environ.get(SYSFS_VARIABLE) or "/sys")

NETWORK_TABLE = "1/net/dev" if os.environ.get(PROCFS_VARIABLE) else "net/dev"
"""Table of the network interfaces: `net` itself is a link to the interfaces of the reader, such as a container."""

MAX_BYTES = 8192
"""Largest number of bytes read by `read_proc`; /proc/meminfo, the largest file it reads, has less than 2 KiB."""

PART_BYTES = 2**16
"""Number of bytes requested at once by `read_whole_proc`."""

MAX_WHOLE_BYTES = 2**22
"""Number of bytes after which `read_whole_proc` stops reading; the tables have one row per CPU or device."""

_descriptors: dict[str, int] = {}


def check_trees() -> None:
    """Check the trees that the environment variables name.

    Raises:
        ConfigError: a variable is set, and its directory is not such a tree.
    """
    trees = ((PROCFS_VARIABLE, Path(PROCFS) / NETWORK_TABLE, "/proc"), (SYSFS_VARIABLE, SYSFS / "class/net", "/sys"))
    problems = [
        f"{variable}: {file} does not exist; mount {original} of the host there, or unset the variable"
        for variable, file, original in trees
        if os.environ.get(variable) and not file.exists()
    ]
    if problems:
        raise ConfigError(problems)


def read_proc(name: str) -> str:
    """Return the text of a file under /proc that has at most MAX_BYTES.

    Args:
        name: path relative to /proc.

    Raises:
        OSError: the file cannot be read.
        ValueError: the content is not ASCII.
    """
    return _pread(name, MAX_BYTES, 0).decode("ascii")


def read_whole_proc(name: str, until: str = "") -> str:
    """Return the text of a table under /proc, which the kernel may return in several parts.

    Args:
        name: path relative to /proc.
        until: start of a line at which reading may stop; empty to read the whole file.

    Raises:
        OSError: the file cannot be read.
    """
    stop = f"\n{until}".encode() if until else None
    content = bytearray()
    while len(content) < MAX_WHOLE_BYTES and not (stop and stop in content):
        part = _pread(name, PART_BYTES, len(content))
        if not part:
            break
        content += part
    # A row with non-ASCII bytes is malformed; the other rows may be intact.
    return content.decode("ascii", "replace")


def _pread(name: str, size: int, offset: int) -> bytes:
    """Return up to `size` bytes of a file under /proc from an offset; OSError if it cannot be read.

    The file stays open: the kernel generates the content again for each read from offset 0, and opening a file costs
    several times as much as reading it. For use by one thread.
    """
    path = f"{PROCFS}/{name}"
    if path not in _descriptors:
        _descriptors[path] = os.open(path, os.O_RDONLY)
    try:
        return os.pread(_descriptors[path], size, offset)
    except OSError:
        os.close(_descriptors.pop(path))
        raise


def parse_rows(lines: Iterable[str], parse: Callable[[str], tuple[str, T]]) -> dict[str, T]:
    """Return the content of each row of a table, keyed by the row's name; malformed rows are left out.

    Args:
        lines: rows with line ends; a row without a line end is truncated and therefore malformed.
        parse: returns the name and the content of a row, or raises ValueError.

    Raises:
        ValueError: the table has rows, and all are malformed.
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
    """Return one figure of /proc/meminfo in kB.

    Args:
        text: content of /proc/meminfo.
        key: name of the figure, such as MemTotal.

    Raises:
        ValueError: the figure is missing or malformed.
    """
    start = 0 if text.startswith(f"{key}:") else text.find(f"\n{key}:") + 1
    line = text[start : text.find("\n", start) + 1]
    name, _, figure = line.partition(":")
    number = figure.removesuffix(" kB\n").strip()
    if name != key or not figure.endswith(" kB\n") or not number.isdecimal():
        raise ValueError(f"no figure {key} in meminfo")
    return int(number)
