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
_HOLDER = text(
    "SELECT activity.application_name, activity.client_addr FROM pg_locks AS locks JOIN pg_stat_activity AS activity "
    "USING (pid) WHERE locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 1 "
    "AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND locks.classid = ((CAST(:key AS bigint) >> 32) & 4294967295)::oid "
    "AND locks.objid = (CAST(:key AS bigint) & 4294967295)::oid LIMIT 1"
)


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
                    holder = _holder(connection, self._key) or "another process"
                    raise LockHeldError(f"{self._shown} is held by {holder}")
            except BaseException:
                _end(connection)
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
            _end(connection)

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
        return _holder(connection, key)


def _acquire(connection: Connection, key: int, wait: float) -> bool:
    deadline = time.monotonic() + wait
    while True:
        with connection.begin():
            if connection.scalar(_ACQUIRE, {"key": key}):
                return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_INTERVAL)


def _holder(connection: Connection, key: int) -> str | None:
    with connection.begin():
        row = connection.execute(_HOLDER, {"key": key}).first()
    if row is None:
        return None
    application, address = row
    return f"{application or 'a session'} at {address}" if address else str(application or "a session")


def _end(connection: Connection) -> None:
    """End a session. The connection may be lost already."""
    # Nothing is rolled back first, which would fail on a lost connection.
    with suppress(SQLAlchemyError):
        connection.invalidate()
        connection.close()
