"""Read-only inspection: state of a database and its files, without any change or lock.

Files are opened for reading only, and the write lock is queried, not acquired. A daemon may run at the same time.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import struct
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool

from storage.database import Database, parse_url
from storage.errors import StorageError, StorageErrorKind, kind_of, storage_errors
from storage.locks import is_locked
from storage.migrations.runner import needs_migration
from storage.rows import decode_text

SQLITE_VERSION = sqlite3.sqlite_version

HEADER = b"SQLite format 3\0"
"""First bytes of a database file."""

FORMAT_VERSION_OFFSET = 18
"""Offset of the header byte that is 2 if the journal mode is WAL (sqlite.org/fileformat.html, 1.3)."""

WRITE_LOCK_OFFSET = 120
"""Offset of the byte in the -shm file that a writer locks (sqlite.org/walformat.html, 2.3)."""

FLOCK_FORMAT = "@hhqqi0q"
"""Layout of struct flock (fcntl(2)) on 64-bit Linux: type, whence, start, length, process ID."""

COMPANION_SUFFIXES = ("-wal", "-shm", "-journal", ".daemon.lock", ".migrate.lock", ".retrain.lock")
"""Suffixes of the files that SQLite and this program create next to a database file."""


@dataclass(frozen=True)
class IntegrityCheck:
    """Result of SQLite's quick check.

    Attributes:
        problem: first problem reported; empty if there is none or the check was interrupted.
        completed: False if the check was interrupted at the time limit.
    """

    problem: str
    completed: bool


@dataclass(frozen=True)
class DatabaseFiles:
    """State of the database file and of the files next to it, read without opening the database.

    Attributes:
        size: bytes of the database file.
        wal_size: bytes of the write-ahead log.
        valid_header: True if the file is empty or begins with the header of SQLite.
        wal_mode: True if the header states journal mode WAL.
        writer: ID of the process that still held the write lock after the `patience` of `inspect_files`; None if the
            lock was free.
        unknown_files: files whose names begin with the name of the database file and that neither SQLite nor this
            program creates.
    """

    size: int
    wal_size: int
    valid_header: bool
    wal_mode: bool
    writer: int | None
    unknown_files: tuple[str, ...]


def database_path(url: str) -> Path | None:
    """Return the absolute path of the database file; None for a database without a file.

    Raises:
        StorageError: the URL is invalid.
    """
    with storage_errors("database URL"):
        return parse_url(url)[1]


def open_read_only(url: str, busy_timeout: float = 0.5) -> Database:
    """Open a database for reading only, without migrating it; a write raises StorageError.

    Args:
        url: URL of a database with a file.
        busy_timeout: seconds to wait for a lock.

    Raises:
        StorageError: the database has no file, is missing or cannot be read.
    """
    path = database_path(url)
    if path is None:
        name = parse_url(url)[0].render_as_string(hide_password=True)
        raise StorageError.of_kind(StorageErrorKind.NO_FILE, name, "not a database in a file")
    with storage_errors(str(path)):
        if not path.exists():
            raise StorageError(f"{path}: the file does not exist", StorageErrorKind.MISSING)
        if not path.is_file():
            raise StorageError(f"{path}: not a file", StorageErrorKind.NOT_A_FILE)
    engine = create_engine("sqlite://", creator=lambda: connect_read_only(path), poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.text_factory = decode_text
        connection.execute(f"PRAGMA busy_timeout = {round(busy_timeout * 1000)}")
        connection.execute("PRAGMA query_only = ON")

    database = Database(engine, path)
    try:
        with database.reading() as connection:
            # The first access to the file: the pragmas do not read it.
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
    except StorageError:
        database.close()
        raise
    return database


def schema_needs_migration(database: Database) -> bool:
    """Return True if the next start of the daemon migrates the database.

    Raises:
        SchemaTooNewError: a newer release wrote the database.
        StorageError: the database belongs to another program, or cannot be read.
    """
    with storage_errors(database.name):
        return needs_migration(database.engine, database.name)


def check_integrity(path: Path, time_limit: float) -> IntegrityCheck:
    """Check a database with SQLite's `PRAGMA quick_check`.

    Args:
        path: path of the database.
        time_limit: seconds until the check is interrupted.

    Raises:
        StorageError: the database cannot be read.
    """
    with storage_errors(str(path)), closing(connect_read_only(path)) as connection:
        timer = threading.Timer(time_limit, connection.interrupt)
        timer.start()
        try:
            report = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.OperationalError as error:
            if kind_of(error) is not StorageErrorKind.INTERRUPTED:
                raise
            return IntegrityCheck(problem="", completed=False)
        finally:
            timer.cancel()
            timer.join()
    problem = "" if report == "ok" else " ".join(report.split())
    return IntegrityCheck(problem, completed=True)


def inspect_files(path: Path, patience: float = 0.3) -> DatabaseFiles:
    """Read the sizes, the header and the write lock of a database file, and list unknown files next to it.

    Do not call this function while this process has the database open: closing the file would release SQLite's locks.

    Args:
        path: path of the database.
        patience: seconds to wait for the write lock to be released.

    Raises:
        StorageError: the files cannot be read.
    """
    with storage_errors(str(path)):
        wal = Path(f"{path}-wal")
        with path.open("rb") as file:
            header = file.read(FORMAT_VERSION_OFFSET + 2)
        return DatabaseFiles(
            size=path.stat().st_size,
            wal_size=wal.stat().st_size if wal.exists() else 0,
            valid_header=header.startswith(HEADER) or not header,
            wal_mode=header[FORMAT_VERSION_OFFSET : FORMAT_VERSION_OFFSET + 1] == b"\x02",
            writer=_persistent_writer(path, patience),
            unknown_files=_unknown_files(path),
        )


def lock_holder(path: Path) -> str | None:
    """Return the ID of the process that holds a lock, as text: "?" if unknown, None if the lock is free.

    Args:
        path: path of the lock file.

    Raises:
        StorageError: the lock file cannot be opened.
    """
    with storage_errors(str(path)):
        if not is_locked(path):
            return None
        return path.read_text(encoding="ascii", errors="replace").strip() or "?"


def _unknown_files(path: Path) -> tuple[str, ...]:
    own = {path.name, *(path.name + suffix for suffix in COMPANION_SUFFIXES)}
    names = {entry.name for entry in path.parent.iterdir() if entry.name.startswith(path.name)}
    return tuple(sorted(names - own))


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open a connection for reading.

    If there is neither a write-ahead log nor a rollback journal, no process is writing. `immutable` then keeps SQLite
    from creating a write-ahead log for this reader.
    """
    unused = not any(Path(f"{path}{suffix}").exists() for suffix in ("-wal", "-journal"))
    uri = f"file:{quote(str(path))}?mode=ro{'&immutable=1' if unused else ''}"
    return sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)


def _persistent_writer(path: Path, patience: float, step: float = 0.02) -> int | None:
    """Query the write lock every `step` seconds until it is free, for at most `patience` seconds.

    Returns:
        ID of the process that still holds the lock; None if the lock is free.
    """
    deadline = time.monotonic() + patience
    while (process := _write_lock_holder(path)) is not None and time.monotonic() < deadline:
        time.sleep(step)
    return process


def _write_lock_holder(path: Path) -> int | None:
    try:
        with Path(f"{path}-shm").open("rb") as file:
            query = struct.pack(FLOCK_FORMAT, fcntl.F_WRLCK, os.SEEK_SET, WRITE_LOCK_OFFSET, 1, 0)
            lock_type, _, _, _, process = struct.unpack(FLOCK_FORMAT, fcntl.fcntl(file, fcntl.F_GETLK, query))
    except OSError:
        return None
    return None if lock_type == fcntl.F_UNLCK else int(process)
