"""Inter-process locks: lock files that the kernel unlocks when the process ends."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.errors import LockHeldError, StorageError, StorageErrorKind
from storage.file_ownership import open_as_owner

POLL_INTERVAL = 0.01
"""Seconds between two attempts to acquire a lock."""


class ExclusiveLock:
    """A lock file that one process at a time can lock (flock); a `with` block acquires and releases the lock.

    The kernel releases the lock when the process ends, even after `kill -9`, so a stale lock is impossible. The file
    is never deleted, because two processes could then lock two files of the same name.
    """

    def __init__(self, path: Path, wait: float = 0.1) -> None:
        """Initialize a lock without acquiring it.

        Args:
            path: path of the lock file; created with mode 0600 if missing.
            wait: longest time to wait for the lock, in seconds. The default exceeds the time for which
                `is_locked` of another process holds the lock.
        """
        self._path = path
        self._wait = wait
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Acquire the lock.

        Raises:
            LockHeldError: another process holds the lock; the message contains its process ID, if known.
            StorageError: the file cannot be opened or created.
        """
        descriptor = _open(self._path)
        if not _acquire(descriptor, self._wait):
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise LockHeldError(f"{self._path} is held by process {holder or 'unknown'}")
        # Only messages use the process ID: a full file system must not prevent the lock.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            # The file system may have become read-only.
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def is_current(self) -> bool:
        """Return True if the lock is held, and its path still names the locked file."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False


def is_locked(path: Path) -> bool:
    """Return True if a process holds the lock; False if the lock is free or the file does not exist.

    Args:
        path: path of the lock file.

    Raises:
        StorageError: the file cannot be opened.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unavailable(path, error) from error
    descriptor = _open(path)
    try:
        return not _acquire(descriptor, 0.0)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    # The holder truncates and writes the file, also as root: never follow a symbolic link.
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return open_as_owner(path, flags)
    except OSError as error:
        raise _unavailable(path, error) from error


def _unavailable(path: Path, error: OSError) -> StorageError:
    detail = error.strerror or type(error).__name__
    return StorageError.of_kind(StorageErrorKind.LOCK_UNAVAILABLE, str(path), detail)


def _acquire(descriptor: int, wait: float) -> bool:
    """Lock the file, retrying for `wait` seconds; return True on success."""
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_INTERVAL)
        else:
            return True
