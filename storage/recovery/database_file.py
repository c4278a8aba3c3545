"""Database file: lock of the daemon, and comparison with the file at its path."""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from storage.database import JOURNAL_SIZE_LIMIT
from storage.errors import LockHeldError

LOCK_OFFSET = 1 << 40
"""Offset of the locked byte, far beyond the bytes that SQLite locks (sqlite.org/fileformat.html, 1.3)."""

FLOCK_FORMAT = "@hhqqi0q"
"""Layout of struct flock (fcntl(2)) on 64-bit Linux: type, whence, start, length, process ID."""

HEADER = b"SQLite format 3\0"
PAGE_SIZE_OFFSET = 16
PAGE_COUNT_OFFSET = 28

EVIDENCE_BYTES = 2**20
EVIDENCE = (b"alembic_version", b"training_runs")
"""Names of tables, which occur near the start of a database of this program."""


class FileChange(StrEnum):
    """Change of the files of an open database by another program."""

    REPLACED = "replaced"
    """The path names another file or none: the file was deleted, moved or replaced."""
    TRUNCATED = "truncated"
    """The file has become shorter."""
    HEADER_DAMAGED = "header_damaged"
    """The header is not that of a database, or states more pages than the file has."""
    LOG_REPLACED = "log_replaced"
    """The path of the write-ahead log or of its index names another file or none."""
    LOG_TRUNCATED = "log_truncated"
    """The write-ahead log has become shorter."""
    SCHEMA_DAMAGED = "schema_damaged"
    """A table or a column is missing."""
    ERRORS = "errors"
    """SQLite has reported damage."""


class DatabaseFile:
    """Open file of a database, used by this process alone among the daemons.

    The lock belongs to the open file, whatever its names (fcntl(2), open file description locks), and ends with the
    process. Closing any descriptor of a file releases the locks that SQLite holds on it in this process: `close` it
    after all connections.
    """

    def __init__(self, path: Path) -> None:
        """Open and lock the file.

        Args:
            path: path of an existing file; symbolic links are followed.

        Raises:
            LockHeldError: another process uses the file.
            OSError: the file cannot be opened.
        """
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        request = struct.pack(FLOCK_FORMAT, fcntl.F_WRLCK, os.SEEK_SET, LOCK_OFFSET, 1, 0)
        try:
            fcntl.fcntl(self._descriptor, fcntl.F_OFD_SETLK, request)
        except OSError as error:
            os.close(self._descriptor)
            if isinstance(error, BlockingIOError | PermissionError):
                raise LockHeldError(f"{path} is in use by another process") from error
            raise
        self._size = 0
        self._log_size = 0
        self._identities: dict[Path, tuple[int, int] | None] = {}

    def close(self) -> None:
        """Release the lock; call it after all connections to the file are closed."""
        os.close(self._descriptor)

    @property
    def log(self) -> Path:
        """Path of the write-ahead log: SQLite resolves symbolic links."""
        return Path(f"{os.path.realpath(self.path)}-wal")

    @property
    def log_index(self) -> Path:
        """Path of the index of the write-ahead log, shared memory of all connections."""
        return Path(f"{os.path.realpath(self.path)}-shm")

    def record(self) -> None:
        """Remember the files that SQLite has opened; call it after the first transaction of a connection."""
        self._identities = {path: _identity(path) for path in (self.log, self.log_index)}
        self._size = os.fstat(self._descriptor).st_size
        self._log_size = _size(self.log)

    def change(self) -> FileChange | None:
        """Return the change since `record`; None if there is none. It costs four system calls."""
        status = os.fstat(self._descriptor)
        if _identity(self.path) != (status.st_dev, status.st_ino):
            return FileChange.REPLACED
        if status.st_size < self._size:
            return FileChange.TRUNCATED
        if any(_identity(path) != identity for path, identity in self._identities.items()):
            return FileChange.LOG_REPLACED
        log_size = _size(self.log)
        if log_size < min(self._log_size, JOURNAL_SIZE_LIMIT):
            return FileChange.LOG_TRUNCATED
        self._size = status.st_size
        self._log_size = log_size
        return None

    def has_damaged_header(self) -> bool:
        """Return True if the file is not empty and its header contradicts it."""
        header = os.pread(self._descriptor, 100, 0)
        if not header:
            return False
        if len(header) < 100 or not header.startswith(HEADER):
            return True
        (page_size,) = struct.unpack_from(">H", header, PAGE_SIZE_OFFSET)
        (pages,) = struct.unpack_from(">I", header, PAGE_COUNT_OFFSET)
        # 1 stands for 65536.
        return bool(pages * (65_536 if page_size == 1 else page_size) > os.fstat(self._descriptor).st_size)

    def is_own(self) -> bool:
        """Return True if the content is, or may once have been, a database of this program.

        A file of anything else, named in `storage.url` by mistake, must not be moved aside.
        """
        start = os.pread(self._descriptor, EVIDENCE_BYTES, 0)
        return not start.strip(b"\0") or any(name in start for name in EVIDENCE)

    def owns_log(self) -> bool:
        """Return True if the write-ahead log at its path is the one that was open."""
        identity = self._identities.get(self.log)
        return identity is not None and _identity(self.log) == identity

    def truncate_log(self, copy: Path) -> None:
        """Empty a truncated write-ahead log after copying it, so that no part of it reaches the database.

        Raises:
            OSError: the log cannot be copied or truncated.
        """
        with suppress(FileNotFoundError):
            content = self.log.read_bytes()
            if content:
                copy.write_bytes(content)
                copy.chmod(0o600)
                os.truncate(self.log, 0)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a file; None if it does not exist."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
