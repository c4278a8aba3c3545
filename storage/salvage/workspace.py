"""Salvage workspaces: temporary directories, removed by the next salvage if their process was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "monitor-salvage-"


@contextmanager
def workspace() -> Iterator[Path]:
    """Yield a new temporary directory, which is deleted at the end of the `with` block.

    Directories that killed processes of this user left are deleted first. A process in progress holds a lock on its
    directory.

    Raises:
        OSError: no directory can be created.
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        with _opened(path) as descriptor:
            if descriptor is None:
                # Another process took the directory, which had no lock yet, for an abandoned one.
                continue
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not path.exists():
                continue
            try:
                yield path
            finally:
                shutil.rmtree(path, ignore_errors=True)
            return


def _remove_abandoned(parent: Path) -> None:
    """Delete the workspaces of this user that no process has locked."""
    for path in parent.glob(f"{PREFIX}*"):
        with suppress(OSError), _opened(path) as descriptor:
            if descriptor is None or os.fstat(descriptor).st_uid != os.geteuid():
                continue
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    """Open a directory for a `with` block; yield None if the path is not a directory, or is a symbolic link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
