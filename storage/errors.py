"""Storage errors: their kinds, advice for the operator, and translation from drivers.

StorageError                    anything the database or its file system refuses
├── SchemaTooNewError           opening a database that a newer release wrote
├── LockHeldError               acquiring a lock that another process holds
├── DuplicateKeyError           inserting a row with the primary key of a stored row
├── UnknownModelError           requesting a model that the host does not have
└── UnknownAnomalyError         requesting an anomaly or a maintenance window that the host does not have
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import ClassVar, Self

from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError


class StorageErrorKind(Enum):
    """Cause of a StorageError, with advice for the operator; the advice may be empty."""

    BUSY = "busy", "another process has been writing for too long; find out which process has the file open"
    CANNOT_OPEN = "cannot open", "check that its directory exists and that this user may write to it"
    CORRUPT = "corrupt", "it is damaged; move it aside or restore a backup in its place"
    DISK_FULL = "disk full", "free space or inodes on its file system"
    DRIVER_MISSING = "driver missing", "install it, or use SQLite"
    DUPLICATE_KEY = "duplicate key", ""
    FILE_SYSTEM = "file system", ""
    FOREIGN_DATABASE = "foreign database", "set storage.url to another database"
    INTERRUPTED = "interrupted", ""
    INVALID_URL = "invalid URL", "write it like sqlite:////var/lib/monitor/monitor.db"
    IO_ERROR = "I/O error", "check its file system for space and for damage"
    LOCK_HELD = "lock held", ""
    LOCK_UNAVAILABLE = "lock unavailable", "give this user write access to it and to its directory"
    MIGRATION_FAILED = "migration failed", ""
    MISSING = "missing", "check storage.url, and that the daemon has run"
    MODEL_DAMAGED = "model damaged", "roll back to another model"
    NOT_A_DATABASE = "not a database", "move it aside or restore a backup in its place"
    NOT_A_FILE = "not a file", "remove it or name another database"
    NO_ACCESS = "no access", "change its owner or mode"
    NO_FILE = "no file", ""
    NO_PREVIOUS_MODEL = "no previous model", ""
    NO_RESPONSE = "no response", "check its file system and its disk"
    OTHER = "other", ""
    QUOTA_EXCEEDED = "quota exceeded", "free space, or raise the quota of this user on its file system"
    READ_ONLY = "read-only", "mount its file system for writing, and give this user write access to its directory"
    RECOVERING = "recovering", ""
    SCHEMA_DAMAGED = "schema damaged", "move it aside or restore a backup in its place"
    SCHEMA_TOO_NEW = "schema too new", "install the release that wrote it, or restore a backup"
    TOO_MANY_FILES = "too many files", "raise the limit of open files (LimitNOFILE of the service)"
    UNAVAILABLE = "unavailable", ""
    UNKNOWN_ANOMALY = "unknown anomaly", ""
    UNKNOWN_MODEL = "unknown model", ""

    advice: str

    def __new__(cls, code: str, advice: str) -> Self:
        """Create a member with the code as value and the advice as attribute."""
        member = object.__new__(cls)
        member._value_ = code
        member.advice = advice
        return member


class StorageError(Exception):
    """Raised if the database or its file system refuses an operation.

    Attributes:
        kind: the cause, for programs; the message is for people and is never parsed.
    """

    default_kind: ClassVar[StorageErrorKind] = StorageErrorKind.OTHER

    def __init__(self, message: str, kind: StorageErrorKind | None = None) -> None:
        super().__init__(message)
        self.kind = kind or self.default_kind

    @classmethod
    def of_kind(cls, kind: StorageErrorKind, name: str, detail: str) -> StorageError:
        """Return an error whose message is one line: name, detail, and the advice for this kind.

        Args:
            kind: the cause.
            name: path of the database, or its URL without the password.
            detail: the problem in a few words.
        """
        advice = f"; {kind.advice}" if kind.advice else ""
        return cls(f"{name}: {detail}{advice}", kind)


class SchemaTooNewError(StorageError):
    """Raised on opening a database that a newer release wrote."""

    default_kind = StorageErrorKind.SCHEMA_TOO_NEW


class LockHeldError(StorageError):
    """Raised on acquiring a lock that another process holds."""

    default_kind = StorageErrorKind.LOCK_HELD


class DuplicateKeyError(StorageError):
    """Raised on inserting a row with the primary key of a stored row."""

    default_kind = StorageErrorKind.DUPLICATE_KEY


class UnknownModelError(StorageError):
    """Raised for a model ID that the host does not have."""

    default_kind = StorageErrorKind.UNKNOWN_MODEL


class UnknownAnomalyError(StorageError):
    """Raised for the ID of an anomaly or a maintenance window that the host does not have."""

    default_kind = StorageErrorKind.UNKNOWN_ANOMALY


_SQLITE_KINDS = {
    sqlite3.SQLITE_BUSY: StorageErrorKind.BUSY,
    sqlite3.SQLITE_LOCKED: StorageErrorKind.BUSY,
    sqlite3.SQLITE_CANTOPEN: StorageErrorKind.CANNOT_OPEN,
    sqlite3.SQLITE_CORRUPT: StorageErrorKind.CORRUPT,
    sqlite3.SQLITE_FULL: StorageErrorKind.DISK_FULL,
    sqlite3.SQLITE_INTERRUPT: StorageErrorKind.INTERRUPTED,
    sqlite3.SQLITE_IOERR: StorageErrorKind.IO_ERROR,
    sqlite3.SQLITE_NOTADB: StorageErrorKind.NOT_A_DATABASE,
    sqlite3.SQLITE_READONLY: StorageErrorKind.READ_ONLY,
}
"""Kind for each primary result code of SQLite (sqlite.org/rescode.html)."""

_ERRNO_KINDS = {
    errno.EACCES: StorageErrorKind.NO_ACCESS,
    errno.EDQUOT: StorageErrorKind.QUOTA_EXCEEDED,
    errno.EIO: StorageErrorKind.IO_ERROR,
    errno.EMFILE: StorageErrorKind.TOO_MANY_FILES,
    errno.ENFILE: StorageErrorKind.TOO_MANY_FILES,
    errno.ENOSPC: StorageErrorKind.DISK_FULL,
    errno.EPERM: StorageErrorKind.NO_ACCESS,
    errno.EROFS: StorageErrorKind.READ_ONLY,
}
"""Kind for each error number of the operating system."""

_UNSPECIFIC = frozenset({StorageErrorKind.CANNOT_OPEN, StorageErrorKind.IO_ERROR, StorageErrorKind.READ_ONLY})
"""Kinds of SQLite's result codes that stand for several errors of the operating system."""


@contextmanager
def storage_errors(name: str, path: Path | None = None) -> Iterator[None]:
    """Translate errors of SQLAlchemy, SQLite and the file system into StorageError.

    Args:
        name: path of the database, or its URL without the password.
        path: path of the database file, whose directory is examined after an unspecific error; None for no file.

    Raises:
        DuplicateKeyError: a row with the same key exists.
        StorageError: any other error of the database or the file system; the message is one line.
    """
    try:
        yield
    except (IntegrityError, sqlite3.IntegrityError) as error:
        raise DuplicateKeyError(f"{name}: {_first_line(error)}") from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        kind = kind_of(error)
        if path is not None and kind in _UNSPECIFIC:
            kind = _specific_kind(path.parent) or kind
        raise StorageError.of_kind(kind, name, _first_line(error)) from error


def translated(error: Exception, name: str, path: Path | None = None) -> StorageError:
    """Return an exception as a StorageError with a message of one line.

    Args:
        error: any exception.
        name: path of the database, or its URL without the password.
        path: path of the database file, or None, as for `storage_errors`.
    """
    try:
        with storage_errors(name, path):
            raise error
    except StorageError as known:
        return known
    except Exception:
        return StorageError(f"{name}: {type(error).__name__}: {_first_line(error)}")


def kind_of(error: Exception) -> StorageErrorKind:
    """Return the cause of an exception of SQLAlchemy, SQLite or the file system.

    An unknown cause is FILE_SYSTEM for an OSError, otherwise OTHER.
    """
    if isinstance(error, OSError):
        return _ERRNO_KINDS.get(error.errno or 0, StorageErrorKind.FILE_SYSTEM)
    if isinstance(error, ArgumentError):
        return StorageErrorKind.INVALID_URL
    original = getattr(error, "orig", None) or error
    # The lowest byte of an extended result code is the primary code. Errors of the sqlite3 module itself have none.
    primary = getattr(original, "sqlite_errorcode", 0) & 0xFF
    return _SQLITE_KINDS.get(primary, StorageErrorKind.OTHER)


def is_invalid_statement(error: Exception) -> bool:
    """Return True if SQLite refused a statement as invalid, for example because a table or a column is missing."""
    original = getattr(error, "orig", None) or error
    return getattr(original, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR


def _specific_kind(directory: Path) -> StorageErrorKind | None:
    """Return the reason why files in a directory cannot be opened or written; None if there is none."""
    try:
        status = os.statvfs(directory)
        os.close(os.open(directory, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return _ERRNO_KINDS.get(error.errno or 0)
    if status.f_flag & os.ST_RDONLY:
        return StorageErrorKind.READ_ONLY
    if status.f_bavail == 0 or (status.f_files and status.f_favail == 0):
        return StorageErrorKind.DISK_FULL
    return None if os.access(directory, os.W_OK | os.X_OK) else StorageErrorKind.NO_ACCESS


def _first_line(error: Exception) -> str:
    """Return the first line of the driver's message, without the statement and the link that SQLAlchemy appends."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    original = getattr(error, "orig", None) or error
    return next(iter(str(original).splitlines()), type(original).__name__)
