"""Lease: the one active process among several on a PostgreSQL server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine

from storage.database import closed_database
from storage.errors import LockHeldError, StorageError, StorageErrorKind, storage_errors
from storage.postgresql.keys import lock_key
from storage.postgresql.locks import end_session, holds_lock, lock_holder

PING_INTERVAL = 1.0
"""Seconds between two messages on the session of the lease."""

VALIDITY = 5.0
"""Seconds for which an answered message proves the lease.

The server waits for about 11 s before it releases the lock of a client that has vanished (see
`storage.postgresql.sessions`), so that two processes never hold it at once.
"""

_ACQUIRE = "SELECT pg_try_advisory_lock({key}), pg_backend_pid()"


def boot_seconds() -> float:
    """Return the seconds since the start of the host, with the time in which it slept."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease:
    """Right of one process to act, held by an advisory lock on a session of its own.

    The lock ends with its session: at once if the process is killed, and after about 11 s if its host vanishes. A
    thread sends a message each second, so that `held` never waits for the server. Methods are safe in any thread.

    Attributes:
        name: name of the lease.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        ping_interval: float = PING_INTERVAL,
        validity: float = VALIDITY,
        monotonic: Callable[[], float] = boot_seconds,
    ) -> None:
        """Initialize without a connection.

        Args:
            url: URL of the database with the name of a host; processes with the same one exclude each other.
            name: name of the lease.
            ping_interval: seconds between two messages to the server.
            validity: seconds for which an answered message proves the lease.
            monotonic: monotonic clock that includes the time in which the host sleeps; returns seconds.

        Raises:
            StorageError: the database is not on a PostgreSQL server.
        """
        database = closed_database(url, busy_timeout=validity)
        if database.server is None:
            detail = "a lease needs a PostgreSQL server"
            raise StorageError.of_kind(StorageErrorKind.INVALID_URL, database.name, detail)
        self.name = name
        self._shown = f"{database.name}: lease {name}"
        self._engine: Engine = database.engine
        self._key = lock_key(database.server.schema, f"lease/{name}")
        self._ping_interval = ping_interval
        self._validity = validity
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._session: Connection | None = None
        self._pid = 0
        self._proven_at = float("-inf")
        self._ends = threading.Event()

    def acquire(self) -> bool:
        """Try to acquire the lease without waiting for its holder; return True if this process holds it.

        Raises:
            StorageError: the server refuses the connection.
        """
        with self._lock:
            if self._session is not None:
                if self.held():
                    return True
                self._end()
            with storage_errors(self._shown):
                return self._try()

    def held(self) -> bool:
        """Return True if this process holds the lease; it does not wait for the server."""
        return self._session is not None and self._monotonic() < self._proven_at + self._validity

    def guard(self, connection: Connection) -> None:
        """Check in a writing transaction that this process still holds the lease.

        Call it before the commit of what only the active process may store, such as the claim of a notification: the
        writing transactions of a host follow each other, so that no other process has claimed it in between.

        Args:
            connection: connection in a writing transaction of the same database.

        Raises:
            LockHeldError: the lease is lost.
        """
        if not self.held() or not holds_lock(connection, self._key, self._pid):
            raise LockHeldError(f"{self._shown} is lost")

    def holder(self) -> str | None:
        """Return a name of the process that holds the lease; None if it is free.

        Raises:
            StorageError: the server refuses the connection.
        """
        with storage_errors(self._shown), self._engine.connect() as connection:
            return lock_holder(connection, self._key)

    def release(self) -> None:
        """Release the lease, and end its session; do nothing if it is not held."""
        with self._lock:
            self._end()

    def _try(self) -> bool:
        sent_at = self._monotonic()
        connection = self._engine.connect()
        try:
            session: Any = connection.connection.dbapi_connection
            is_acquired, pid = session.execute(_ACQUIRE.format(key=self._key)).fetchone()
        except BaseException:
            end_session(connection)
            raise
        if not is_acquired:
            end_session(connection)
            return False
        self._pid = int(pid)
        self._proven_at = sent_at
        self._session = connection
        self._ends = threading.Event()
        thread = threading.Thread(target=self._prove, args=(session, self._ends), name="lease", daemon=True)
        thread.start()
        return True

    def _prove(self, session: Any, ends: threading.Event) -> None:
        """Send a message each `ping_interval` seconds until the session ends."""
        while not ends.wait(self._ping_interval):
            sent_at = self._monotonic()
            try:
                session.execute("SELECT 1")
            except Exception:
                if not ends.is_set():
                    self._proven_at = float("-inf")
                return
            if not ends.is_set():
                self._proven_at = sent_at

    def _end(self) -> None:
        connection, self._session = self._session, None
        self._proven_at = float("-inf")
        self._ends.set()
        if connection is not None:
            end_session(connection)
