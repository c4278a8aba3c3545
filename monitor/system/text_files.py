"""Text files: size-limited reads that wait for nobody."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_TEXT_BYTES = 131_072
"""Largest size of a configuration file, in bytes; parsing larger YAML takes seconds."""


def read_text(path: Path) -> tuple[str, os.stat_result]:
    """Return the content of a small UTF-8 text file, and its status.

    Args:
        path: path of a regular file, or of a descriptor of this process such as /dev/stdin.

    Raises:
        ValueError: the file cannot be read; the message names the path and the reason.
    """
    try:
        with open(path, "rb", opener=_open_nonblocking) as file:
            status = os.fstat(file.fileno())
            if stat.S_ISFIFO(status.st_mode) and is_descriptor(path):
                os.set_blocking(file.fileno(), True)
            elif not stat.S_ISREG(status.st_mode):
                raise ValueError(f"{path}: cannot be read: not a regular file")
            content = _read_at_most(file.fileno(), MAX_TEXT_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > MAX_TEXT_BYTES:
        raise ValueError(f"{path}: cannot be read: larger than {MAX_TEXT_BYTES >> 10} KiB")
    try:
        return content.decode(), status
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: cannot be read: not UTF-8 text") from error


def is_descriptor(path: Path) -> bool:
    """Return True for a path of a descriptor of this process, such as /dev/stdin or /dev/fd/63."""
    return path.is_symlink() and path.absolute().parts[1] in {"dev", "proc"}


def _read_at_most(descriptor: int, size: int) -> bytes:
    content = bytearray()
    while len(content) < size and (part := os.read(descriptor, size - len(content))):
        content += part
    return bytes(content)


def _open_nonblocking(path: str, flags: int) -> int:
    """Open a file without waiting for the writer of a FIFO."""
    return os.open(path, flags | os.O_NONBLOCK)
