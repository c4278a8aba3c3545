"""Database opening: file creation, SQLite pragmas, transactions and the schema upgrade."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool, StaticPool

from storage.errors import StorageError, StorageErrorKind, storage_errors
from storage.file_ownership import prepare_database_file
from storage.locks import ExclusiveLock
from storage.migrations.runner import create_schema, migrate_if_needed
from storage.rows import DamagedRows, decode_text

PRAGMAS = (
    # First, so that the other pragmas wait for a lock, too. `_configure_sqlite` fills in the value.
    "busy_timeout = {busy_timeout}",
    "journal_mode = WAL",
    # NORMAL would lose committed samples in a power failure.
    "synchronous = FULL",
    "foreign_keys = ON",
    # A slow reader lets the write-ahead log grow; without a limit the file would keep that size.
    f"journal_size_limit = {16 * 2**20}",
    # A negative number is KiB. Appends touch the last page and reads scan once: the kernel's page cache is enough.
    "cache_size = -1024",
    "temp_store = MEMORY",
)

SQLITE_FILE = "sqlite:///"

MAX_IDLE_CONNECTIONS = 2
"""Largest number of connections kept open between transactions."""

_WRITES = "writes"
"""Key in `Connection.info`; True makes the next transaction acquire the write lock at its start."""


class Database:
    """An open database, safe to use from several threads; a `with` block closes it at its end.

    Attributes:
        engine: SQLAlchemy engine.
        path: absolute path of the database file; None for a database in memory or on a server.
        name: the path, or the URL without the password; used in messages.
        damaged_rows: number of different rows with unexpected values that were read.
    """

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        self.name = str(path or engine.url.render_as_string(hide_password=True))
        self.damaged_rows = DamagedRows()
        # Opening a connection costs more than most transactions, and so does SQLAlchemy's pool.
        self._idle: list[Connection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections. The last connection to a file checkpoints its write-ahead log."""
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()

    def size_bytes(self) -> int:
        """Return the size of the file and its write-ahead log in bytes; 0 for a database without a file.

        Raises:
            StorageError: the file system refuses access.
        """
        if self.path is None:
            return 0
        with storage_errors(self.name):
            return self.path.stat().st_size + self.wal_bytes()

    def wal_bytes(self) -> int:
        """Return the size of the write-ahead log in bytes; 0 if there is none."""
        log = Path(f"{self.path}-wal")
        return log.stat().st_size if self.path is not None and log.exists() else 0

    def free_bytes(self) -> int | None:
        """Return the bytes available to this user on the file system of the database; None if unknown."""
        if self.path is None:
            return None
        try:
            status = os.statvfs(self.path.parent)
        except OSError:
            return None
        return status.f_bavail * status.f_frsize

    def lock_path(self, name: str) -> Path | None:
        """Return the path of the lock file `name`, next to the database; None for a database without a file."""
        return None if self.path is None else Path(f"{self.path}.{name}.lock")

    def lock(self, name: str) -> ExclusiveLock:
        """Return the lock `name` of this database, not yet acquired.

        Raises:
            StorageError: the database has no file.
        """
        path = self.lock_path(name)
        if path is None:
            raise StorageError.of_kind(StorageErrorKind.NO_FILE, self.name, "a database without a file has no locks")
        return ExclusiveLock(path)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Run a transaction that reads a consistent snapshot; a long transaction lets the write-ahead log grow."""
        with self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Run a transaction that holds the write lock; commit it at the end, or roll it back after an exception.

        Raises:
            DuplicateKeyError: a row with the same key exists.
            StorageError: the database refuses an operation.
        """
        with self._transaction(writes=True) as connection:
            yield connection

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        with storage_errors(self.name):
            connection = self._idle.pop() if self._idle else self.engine.connect()
            connection.info[_WRITES] = writes
            try:
                with connection.begin():
                    yield connection
            except (DBAPIError, sqlite3.Error) as error:
                if not isinstance(error, IntegrityError | sqlite3.IntegrityError):
                    # The next transaction gets a new connection: the file of the old one may be damaged or deleted.
                    connection.invalidate()
                raise
            finally:
                if connection.invalidated or len(self._idle) >= MAX_IDLE_CONNECTIONS:
                    connection.close()
                else:
                    self._idle.append(connection)


def open_database(url: str, *, busy_timeout: float = 5.0, migrate: bool = True, create: bool = True) -> Database:
    """Open a database; first create it, or migrate it to the schema of this release, if necessary.

    Args:
        url: SQLAlchemy URL: `sqlite:////absolute/path`, or `sqlite://` for a database in memory.
        busy_timeout: longest time to wait for the write lock, in seconds.
        migrate: True to create a missing schema or migrate an older schema.
        create: True to create a missing database, False to raise StorageError.

    Raises:
        SchemaTooNewError: a newer release wrote the database.
        StorageError: the URL is invalid, or the database cannot be opened or migrated.
    """
    with storage_errors("database URL"):
        parsed, path = parse_url(url)
    with storage_errors(str(path or parsed.render_as_string(hide_password=True))):
        # Creating the engine opens no file. It comes first, so that an unusable URL does not create a file.
        engine = _create_engine(parsed, busy_timeout)
        if path is not None:
            if not create and not path.exists():
                raise StorageError.of_kind(StorageErrorKind.MISSING, str(path), "the file does not exist")
            prepare_database_file(path)
        database = Database(engine, path)
        try:
            _prepare_schema(database, parsed, migrate=migrate)
        except BaseException:
            database.close()
            raise
    return database


def parse_url(url: str) -> tuple[URL, Path | None]:
    """Return the URL with an absolute path, and the path; the path is None for a database without a file."""
    # A path may contain the separators of a URL, such as "?".
    is_file = url.startswith(SQLITE_FILE)
    parsed = URL.create("sqlite", database=url.removeprefix(SQLITE_FILE)) if is_file else make_url(url)
    if parsed.get_backend_name() != "sqlite" or _is_in_memory(parsed):
        return parsed, None
    path = Path(str(parsed.database)).absolute()
    return parsed.set(database=str(path)), path


def _is_in_memory(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def _create_engine(url: URL, busy_timeout: float) -> Engine:
    # A database in memory exists in one connection only.
    pool = StaticPool if _is_in_memory(url) else NullPool
    try:
        engine = create_engine(url, poolclass=pool)
    except ImportError as error:
        raise StorageError.of_kind(StorageErrorKind.DRIVER_MISSING, str(error.name), "not installed") from error
    if url.get_backend_name() == "sqlite":
        _configure_sqlite(engine, busy_timeout)
    return engine


def _configure_sqlite(engine: Engine, busy_timeout: float) -> None:
    """Set the pragmas of each connection, and make SQLAlchemy begin the transactions instead of the driver.

    The driver begins no transaction before a SELECT or DDL statement: two reads would see different states of the
    database, and a failed migration would leave half of its changes.
    """

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.text_factory = decode_text
        with closing(connection.cursor()) as cursor:
            for pragma in PRAGMAS:
                cursor.execute(f"PRAGMA {pragma.format(busy_timeout=round(busy_timeout * 1000))}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE waits for the write lock. A deferred transaction that reads and then writes fails at once if
        # another process has written in between.
        statement = "BEGIN IMMEDIATE" if connection.info.get(_WRITES, False) else "BEGIN"
        driver_connection: Any = connection.connection.dbapi_connection
        driver_connection.execute(statement)


def _prepare_schema(database: Database, url: URL, *, migrate: bool) -> None:
    """Connect once to detect an unusable file, then create or migrate the schema."""
    with database.reading():
        pass
    if not migrate:
        return
    if _is_in_memory(url):
        with database.writing() as connection:
            create_schema(connection)
        return
    full_url = f"{SQLITE_FILE}{database.path}" if database.path else url.render_as_string(hide_password=False)
    migrate_if_needed(database.engine, full_url, database.name, database.lock_path("migrate"))
