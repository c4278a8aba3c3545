"""Translation of the errors of SQLAlchemy, the drivers and the file system into storage errors."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from storage.errors.exceptions import DuplicateKeyError, StorageError
from storage.errors.kinds import StorageErrorKind

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

_SQLSTATE_KINDS = {
    "08": StorageErrorKind.SERVER_UNAVAILABLE,
    "25006": StorageErrorKind.READ_ONLY_SERVER,
    "28": StorageErrorKind.ACCESS_DENIED,
    "40": StorageErrorKind.BUSY,
    "42501": StorageErrorKind.ACCESS_DENIED,
    "53": StorageErrorKind.SERVER_OVERLOADED,
    "53100": StorageErrorKind.DISK_FULL,
    "55P03": StorageErrorKind.BUSY,
    "57": StorageErrorKind.SERVER_UNAVAILABLE,
    "57014": StorageErrorKind.TIMEOUT,
    "58": StorageErrorKind.IO_ERROR,
    "XX001": StorageErrorKind.CORRUPT,
    "XX002": StorageErrorKind.CORRUPT,
}
"""Kind for SQLSTATE codes of PostgreSQL, or for their class, the first two characters (Appendix A of its manual)."""

_UNDEFINED = frozenset({"3F000", "42703", "42P01"})
"""SQLSTATE codes for a schema, a column and a table that do not exist."""

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
    """Return the cause of an exception of SQLAlchemy, SQLite, psycopg or the file system.

    An unknown cause is FILE_SYSTEM for an OSError, otherwise OTHER.
    """
    if isinstance(error, OSError):
        return _ERRNO_KINDS.get(error.errno or 0, StorageErrorKind.FILE_SYSTEM)
    if isinstance(error, ArgumentError):
        return StorageErrorKind.INVALID_URL
    original = getattr(error, "orig", None) or error
    if is_from_server(original):
        return _server_kind(original)
    # The lowest byte of an extended result code is the primary code. Errors of the sqlite3 module itself have none.
    primary = getattr(original, "sqlite_errorcode", 0) & 0xFF
    return _SQLITE_KINDS.get(primary, StorageErrorKind.OTHER)


def is_invalid_statement(error: Exception) -> bool:
    """Return True if the database refused a statement as invalid, such as one on a missing table or column."""
    original = getattr(error, "orig", None) or error
    if is_from_server(original):
        return getattr(original, "sqlstate", None) in _UNDEFINED
    return getattr(original, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR


def is_from_server(error: BaseException) -> bool:
    """Return True for an exception of psycopg, which is not imported for that."""
    return type(error).__module__.partition(".")[0] == "psycopg"


def _server_kind(error: BaseException) -> StorageErrorKind:
    """Return the cause of an exception of psycopg; a lost or refused connection has no SQLSTATE."""
    code = getattr(error, "sqlstate", None)
    if code is None:
        is_lost = any(base.__name__ == "OperationalError" for base in type(error).__mro__)
        return StorageErrorKind.SERVER_UNAVAILABLE if is_lost else StorageErrorKind.OTHER
    return _SQLSTATE_KINDS.get(code) or _SQLSTATE_KINDS.get(code[:2], StorageErrorKind.OTHER)


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
