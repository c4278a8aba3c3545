"""One statement straight to the driver, over a connection that is kept.

What happens at every tick takes this way: SQLAlchemy's own costs more than the work itself, once every interval for
months.
"""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import Engine, PoolProxiedConnection

from storage.errors import storage_errors


class Driver:
    """Runs single statements, each committed. Safe to use from several threads, one after the other."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine, self._name = engine, name
        self._taken: type[Exception] = engine.dialect.loaded_dbapi.IntegrityError
        self._lock = threading.Lock()
        self._connection: PoolProxiedConnection | None = None

    def run(self, statement: str, values: Any) -> Any:
        """The first row of the result, or None where there is none.

        Args:
            statement: in the driver's own words.
            values: of its parameters, as the driver wants them.

        Raises:
            DuplicateKeyError: a row with this key is there already.
            StorageError: whatever else the database refuses, in one line.
        """
        with storage_errors(self._name), self._lock:
            try:
                if self._connection is None:
                    self._connection = self._engine.raw_connection()
                cursor = self._connection.cursor()
                cursor.execute(statement, values)
                row = cursor.fetchone() if cursor.description else None
                cursor.close()
                # SQLite has committed a lone statement by itself; other databases wait for this.
                self._connection.commit()
            except self._taken:
                if self._connection is not None:
                    self._connection.rollback()
                raise
            except Exception:
                # The next one gets a new connection: this one may stand on a file that is broken or gone.
                self._drop()
                raise
            return row

    def close(self) -> None:
        """Gives the connection back."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
