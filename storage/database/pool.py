"""Connection pool: idle connections, and the refusal of new ones while the database is unavailable."""

from __future__ import annotations

import threading

from sqlalchemy import Connection, Engine

from storage.errors import StorageError

MAX_IDLE_CONNECTIONS = 2
"""Largest number of connections kept open between transactions."""


class ConnectionPool:
    """Connections of one database for several threads.

    Opening a connection costs more than most transactions, and so does SQLAlchemy's pool.

    Attributes:
        idle: connections kept between transactions.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._condition = threading.Condition()
        self._active = 0
        self._refusal: StorageError | None = None
        self.idle: list[Connection] = []

    def acquire(self) -> Connection:
        """Return a connection for one transaction.

        Raises:
            StorageError: the pool is suspended.
        """
        with self._condition:
            if self._refusal is not None:
                raise StorageError(str(self._refusal), self._refusal.kind)
            self._active += 1
            connection = self.idle.pop() if self.idle else None
        if connection is not None:
            return connection
        try:
            return self._engine.connect()
        except BaseException:
            self._finish()
            raise

    def release(self, connection: Connection) -> None:
        """Keep a connection after its transaction, or close it."""
        with self._condition:
            is_kept = self._refusal is None and not connection.invalidated and len(self.idle) < MAX_IDLE_CONNECTIONS
            if is_kept:
                self.idle.append(connection)
        try:
            if not is_kept:
                connection.close()
        finally:
            self._finish()

    def suspend(self, error: StorageError, patience: float) -> bool:
        """Refuse transactions with an error, wait for those in progress, and close the idle connections.

        Returns:
            False if transactions are still in progress after `patience` seconds.
        """
        with self._condition:
            self._refusal = error
            has_ended = self._condition.wait_for(lambda: not self._active, patience)
        self.close()
        return has_ended

    def resume(self) -> None:
        """Accept transactions again."""
        with self._condition:
            self._refusal = None

    def close(self) -> None:
        """Close the idle connections."""
        while True:
            with self._condition:
                if not self.idle:
                    return
                connection = self.idle.pop()
            connection.close()

    def _finish(self) -> None:
        with self._condition:
            self._active -= 1
            self._condition.notify_all()
