"""Databases: transactions, sizes and locks."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import RootTransaction
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage.database.engine import WRITES
from storage.database.pool import ConnectionPool
from storage.database.server import Server
from storage.errors import StorageError, StorageErrorKind, is_invalid_statement, kind_of, storage_errors
from storage.locks import ExclusiveLock, is_locked
from storage.postgresql.locks import AdvisoryLock
from storage.rows import DamagedRows

DAMAGE = frozenset({StorageErrorKind.CORRUPT, StorageErrorKind.NOT_A_DATABASE})
"""Kinds of errors by which SQLite reports damage."""


class Database:
    """An open database, safe to use from several threads.

    A `with` block closes the database at its end.

    Attributes:
        engine: SQLAlchemy engine.
        path: absolute path of the database file; None for a database in memory or on a server.
        server: schema on a PostgreSQL server; None for SQLite.
        name: the path, or the URL without the password; used in messages.
        pool: connections.
        damaged_rows: number of different rows with unexpected values that were read.
        damage_reported: True after SQLite has reported damage in a transaction.
        statement_refused: True after SQLite has refused a statement as invalid, such as one on a missing table.
    """

    def __init__(self, engine: Engine, path: Path | None, server: Server | None = None) -> None:
        self.engine = engine
        self.path = path
        self.server = server
        self.name = server.name if server else str(path or engine.url.render_as_string(hide_password=True))
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
        """Return the size of the file and its write-ahead log, or of the schema, in bytes; 0 for one in memory.

        Raises:
            StorageError: the file system or the server refuses access.
        """
        if self.server is not None:
            with self.reading() as connection:
                return self.server.size_bytes(connection)
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

    def lock(self, name: str, wait: float = 0.1) -> ExclusiveLock | AdvisoryLock:
        """Return the lock `name` of this database, not yet acquired.

        Args:
            name: name of the lock.
            wait: longest time to wait for the lock, in seconds.

        Raises:
            StorageError: the database is in memory.
        """
        if self.server is not None:
            return self.server.lock(self.engine, name, wait)
        path = self.lock_path(name)
        if path is None:
            raise StorageError.of_kind(StorageErrorKind.NO_FILE, self.name, "a database without a file has no locks")
        return ExclusiveLock(path, wait)

    def is_locked(self, name: str) -> bool:
        """Return True if a process holds the lock `name`; False for a database in memory.

        Raises:
            StorageError: the lock file cannot be opened, or the server refuses access.
        """
        if self.server is not None:
            with storage_errors(self.name):
                return self.server.lock_holder(self.engine, name) is not None
        path = self.lock_path(name)
        return path is not None and is_locked(path)

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
            connection, transaction = self._begin(writes=writes)
            try:
                with transaction:
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

    def _begin(self, *, writes: bool) -> tuple[Connection, RootTransaction]:
        """Return a connection and its transaction, which has begun.

        After a restart of the server every idle connection fails: a new one is tried once. Nothing was sent before.
        """
        try:
            return self._begin_once(writes=writes)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        self.pool.close()
        return self._begin_once(writes=writes)

    def _begin_once(self, *, writes: bool) -> tuple[Connection, RootTransaction]:
        connection = self.pool.acquire()
        connection.info[WRITES] = writes
        try:
            return connection, connection.begin()
        except BaseException:
            connection.invalidate()
            self.pool.release(connection)
            raise
