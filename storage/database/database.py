"""Databases: transactions, lock files, and opening with the schema upgrade."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage.database.engine import SQLITE_FILE, WRITES, is_in_memory, make_engine, parse_url
from storage.database.pool import ConnectionPool
from storage.errors import StorageError, StorageErrorKind, is_invalid_statement, kind_of, storage_errors
from storage.file_ownership import prepare_database_file
from storage.locks import ExclusiveLock
from storage.migrations.runner import create_schema, migrate_if_needed
from storage.rows import DamagedRows

DAMAGE = frozenset({StorageErrorKind.CORRUPT, StorageErrorKind.NOT_A_DATABASE})
"""Kinds of errors by which SQLite reports damage."""


class Database:
    """An open database, safe to use from several threads.

    A `with` block closes the database at its end.

    Attributes:
        engine: SQLAlchemy engine.
        path: absolute path of the database file; None for a database in memory or on a server.
        name: the path, or the URL without the password; used in messages.
        pool: connections.
        damaged_rows: number of different rows with unexpected values that were read.
        damage_reported: True after SQLite has reported damage in a transaction.
        statement_refused: True after SQLite has refused a statement as invalid, such as one on a missing table.
    """

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        self.name = str(path or engine.url.render_as_string(hide_password=True))
        self.pool = ConnectionPool(engine)
        self.damaged_rows = DamagedRows()
        self.damage_reported = False
        self.statement_refused = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections. The last connection to a file checkpoints its write-ahead log."""
        self.pool.close()
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
        # SQLite resolves symbolic links.
        log = Path(f"{os.path.realpath(self.path or '')}-wal")
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
        # Every name of the file, such as a symbolic link, has the same lock files.
        return None if self.path is None else Path(f"{os.path.realpath(self.path)}.{name}.lock")

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
        """Run a transaction that reads a consistent snapshot; a long transaction lets the write-ahead log grow.

        Raises:
            StorageError: the database refuses an operation.
        """
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
        with storage_errors(self.name, self.path):
            connection = self.pool.acquire()
            connection.info[WRITES] = writes
            try:
                with connection.begin():
                    yield connection
            except (DBAPIError, sqlite3.Error) as error:
                if not isinstance(error, IntegrityError | sqlite3.IntegrityError):
                    # The next transaction gets a new connection: the file of the old one may be damaged or deleted.
                    connection.invalidate()
                    self.damage_reported |= kind_of(error) in DAMAGE
                    self.statement_refused |= is_invalid_statement(error)
                raise
            finally:
                self.pool.release(connection)


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
    database = closed_database(url, busy_timeout=busy_timeout)
    with storage_errors(database.name):
        if database.path is not None:
            if not create and not database.path.exists():
                raise StorageError.of_kind(StorageErrorKind.MISSING, database.name, "the file does not exist")
            prepare_database_file(database.path)
        try:
            # Connect once to detect an unusable file.
            with database.reading():
                pass
            if migrate:
                prepare_schema(database)
        except BaseException:
            database.close()
            raise
    return database


def closed_database(url: str, *, busy_timeout: float = 5.0) -> Database:
    """Return a database without opening or creating any file; its first transaction opens the file.

    Raises:
        StorageError: the URL is invalid.
    """
    with storage_errors("database URL"):
        parsed, path = parse_url(url)
    with storage_errors(str(path or parsed.render_as_string(hide_password=True))):
        return Database(make_engine(parsed, busy_timeout), path)


def prepare_schema(database: Database) -> None:
    """Create a missing schema, or migrate an older one.

    Raises:
        SchemaTooNewError: a newer release wrote the database.
        StorageError: the database cannot be migrated, or belongs to another program.
    """
    url: URL = database.engine.url
    if is_in_memory(url):
        with database.writing() as connection:
            create_schema(connection)
        return
    full_url = f"{SQLITE_FILE}{database.path}" if database.path else url.render_as_string(hide_password=False)
    migrate_if_needed(database.engine, full_url, database.name, database.lock_path("migrate"))
