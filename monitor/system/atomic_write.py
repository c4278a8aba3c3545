"""Atomic file writes: a write takes effect completely or not at all.

Devices, FIFOs and standard streams are written in place.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from monitor.errors import MonitorError
from monitor.system.text_files import is_descriptor


@contextmanager
def open_atomic(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Open a file for writing; it replaces the existing file when the `with` block ends without an error.

    A power failure leaves the complete old file or the complete new file. Symbolic links are followed. Devices, FIFOs
    and descriptors of this process, such as /dev/stdout, are opened for appending instead.

    Args:
        path: the file to write.
        mode: permissions of the written file, reduced by the umask; those of a replaced file are not kept.

    Raises:
        MonitorError: the file cannot be written; the message names `path` as given.
    """
    try:
        if _is_replaceable(path):
            with _replacing(Path(os.path.realpath(path)), mode) as file:
                yield file
        else:
            # /dev/stdout may be a file that has content already.
            with path.open("ab") as file:
                yield file
    except BrokenPipeError:
        # The reader closed the pipe; the entry point handles this.
        raise
    except OSError as error:
        raise MonitorError(f"{path}: cannot be written: {error.strerror or error}") from error


@contextmanager
def open_replacement(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Open a file for writing; after a `with` block without an error, it takes the place of whatever is there.

    Symbolic links and FIFOs that another user planted are replaced, not followed. A directory is refused.

    Args:
        path: the file to write.
        mode: permissions of the written file, reduced by the umask.

    Raises:
        MonitorError: the file cannot be written.
    """
    try:
        with _replacing(path, mode) as file:
            yield file
    except OSError as error:
        raise MonitorError(f"{path}: cannot be written: {error.strerror or error}") from error


def _is_replaceable(path: Path) -> bool:
    """Return True for a missing file, or a regular file that is not a descriptor of this process."""
    try:
        is_regular = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return True
    return is_regular and not is_descriptor(path)


@contextmanager
def _replacing(path: Path, mode: int) -> Iterator[BinaryIO]:
    """Open a temporary file next to `path` and rename it when the block ends; remove it after an error."""
    partial = path.with_name(f".{token_hex(6)}.part")
    with open(partial, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    """Flush a directory to disk, so that a rename in it survives a power failure."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
