"""Files that commands write: there whole or not at all, and into what is no file as into a pipe."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from monitor.errors import MonitorError


@contextmanager
def created(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """What to write to; after a power cut there is the old file or the new one.

    A link is followed. A device, a FIFO and /dev/stdout are never replaced: they are written to as they are.

    Args:
        path: of the file.
        mode: of a file that is made, less the umask.

    Raises:
        MonitorError: it cannot be written; names the path as it was given.
    """
    try:
        if _replaceable(path):
            with _replaced(Path(os.path.realpath(path)), mode) as file:
                yield file
        else:
            # Appended to: behind /dev/stdout may be a file that has something in it.
            with path.open("ab") as file:
                yield file
    except BrokenPipeError:
        # Whoever reads has enough.
        raise
    except OSError as error:
        raise MonitorError(f"{path}: cannot be written: {error.strerror or error}") from error


def _replaceable(path: Path) -> bool:
    """Whether there is nothing yet or a regular file, and not by way of a descriptor of this process."""
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return True
    descriptor = path.is_symlink() and path.absolute().parts[1] in {"dev", "proc"}
    return regular and not descriptor


@contextmanager
def _replaced(path: Path, mode: int) -> Iterator[BinaryIO]:
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
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
