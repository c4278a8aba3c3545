"""Locks between processes that die with their holder, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.errors import LockHeldError, StorageError, StorageErrorKind
from storage.file_ownership import open_as_owner

STEP = 0.01
"""Seconds between two attempts."""


class ExclusiveLock:
    """A context manager which one process at a time may be inside of.

    The kernel frees the lock when its holder ends, also by `kill -9`: there is no stale lock to remove by hand. The
    file stays behind, because removing it would let two processes lock two files of one name.
    """

    def __init__(self, path: Path, wait: float = 0.1) -> None:
        """Names the lock; entering takes it.

        Args:
            path: of the lock file; made with mode 0600 if absent.
            wait: seconds to go on trying. Not 0 by default, because `is_locked` takes the lock for a moment.
        """
        self._path = path
        self._wait = wait
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Takes the lock.

        Raises:
            LockHeldError: another holds it; the message names its process.
            StorageError: the file cannot be made.
        """
        descriptor = _open(self._path)
        if not _take(descriptor, self._wait):
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise LockHeldError(f"{self._path} is held by process {holder or 'unknown'}")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def is_locked(path: Path) -> bool:
    """Whether some process is inside this lock now; False if it was never taken.

    Raises:
        StorageError: the file is there and cannot be opened.
    """
    if not path.exists():
        return False
    descriptor = _open(path)
    try:
        return not _take(descriptor, 0.0)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    # A lock is emptied and written by whoever takes it, root among them: never what a link points at.
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return open_as_owner(path, flags)
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise StorageError.of_kind(StorageErrorKind.LOCK_UNAVAILABLE, str(path), detail) from error


def _take(descriptor: int, wait: float) -> bool:
    """Whether the lock came free within `wait` seconds."""
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(STEP)
        else:
            return True
