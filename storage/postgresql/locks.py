"""Advisory locks on a PostgreSQL server, which end with the session of their holder."""

from __future__ import annotations

import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from storage.errors import LockHeldError, storage_errors

POLL_INTERVAL = 0.05
"""Seconds between two attempts to acquire a lock."""

_ACQUIRE = text("SELECT pg_try_advisory_lock(:key)")

# The two halves of the key are unsigned numbers in pg_locks.
_HELD = (
    "pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND classid = ((CAST(:key AS bigint) >> 32) & 4294967295)::oid "
    "AND objid = (CAST(:key AS bigint) & 4294967295)::oid"
)

_HOLDER = text(
    f"SELECT application_name, client_addr FROM pg_stat_activity WHERE pid IN (SELECT pid FROM {_HELD})"  # noqa: S608
)

_IS_HOLDER = text(f"SELECT EXISTS (SELECT FROM {_HELD} AND pid = :pid)")  # noqa: S608 - constants of this module


class AdvisoryLock:
    """A lock that one session at a time can hold; a `with` block acquires and releases it.

    It has a connection of its own. The server releases it when the connection ends, even after `kill -9`.
    """

    def __init__(self, engine: Engine, key: int, shown: str, wait: float = 0.1) -> None:
        """Initialize a lock without acquiring it.

        Args:
            engine: engine of the database.
            key: key of the lock; see `lock_key`.
            shown: name of the lock for messages.
            wait: longest time to wait for the lock, in seconds.
        """
        self._engine = engine
        self._shown = shown
        self._key = key
        self._wait = wait
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        """Acquire the lock.

        Raises:
            LockHeldError: another session holds the lock.
            StorageError: the server refuses the connection.
        """
        with storage_errors(self._shown):
            connection = self._engine.connect()
            try:
                if not _acquire(connection, self._key, self._wait):
                    holder = lock_holder(connection, self._key) or "another process"
                    raise LockHeldError(f"{self._shown} is held by {holder}")
            except BaseException:
                end_session(connection)
                raise
            self._connection = connection
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Release the lock; do nothing if it is not held."""
        connection, self._connection = self._connection, None
        if connection is not None:
            end_session(connection)

    def is_current(self) -> bool:
        """Return True if the lock is held: its session still answers."""
        if self._connection is None:
            return False
        # Without a transaction: one message to the server, before every write.
        session: Any = self._connection.connection.dbapi_connection
        try:
            session.execute("SELECT 1")
        except Exception:
            return False
        return True


def advisory_lock_holder(engine: Engine, key: int) -> str | None:
    """Return a name of the process that holds a lock; None if the lock is free.

    Args:
        engine: engine of the database.
        key: key of the lock; see `lock_key`.

    Raises:
        SQLAlchemyError: the server refuses the operation.
    """
    with engine.connect() as connection:
        return lock_holder(connection, key)


def _acquire(connection: Connection, key: int, wait: float) -> bool:
    deadline = time.monotonic() + wait
    while True:
        with connection.begin():
            if connection.scalar(_ACQUIRE, {"key": key}):
                return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_INTERVAL)


def lock_holder(connection: Connection, key: int) -> str | None:
    """Return a name of the process that holds a lock; None if the lock is free.

    Args:
        connection: connection without a transaction.
        key: key of the lock.

    Raises:
        SQLAlchemyError: the server refuses the operation.
    """
    with connection.begin():
        row = connection.execute(_HOLDER, {"key": key}).first()
    if row is None:
        return None
    application, address = row
    return f"{application or 'a session'} at {address}" if address else str(application or "a session")


def holds_lock(connection: Connection, key: int, pid: int) -> bool:
    """Return True if a session holds a lock.

    Args:
        connection: connection in a transaction.
        key: key of the lock.
        pid: process ID of the session on the server.

    Raises:
        SQLAlchemyError: the server refuses the operation.
    """
    return bool(connection.scalar(_IS_HOLDER, {"pid": pid, "key": key}))


def end_session(connection: Connection) -> None:
    """End the session of a connection, which may be lost already."""
    # Nothing is rolled back first, which would fail on a lost connection.
    with suppress(SQLAlchemyError):
        connection.invalidate()
        connection.close()
