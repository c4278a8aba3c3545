"""Server keeper: opening and recovery of the database on a server, for the daemon."""

from __future__ import annotations

from storage.database import Database, prepare_schema
from storage.errors import StorageError, StorageErrorKind, storage_errors, translated
from storage.postgresql.locks import AdvisoryLock
from storage.recovery.keeper import PATIENCE

LOCK_WAIT = 0.5
"""Seconds to wait for the lock: a session of this process may still be ending on the server."""


class ServerKeeper:
    """Keeper of a database on a server: the counterpart of `DatabaseKeeper` for files.

    The session that holds the lock of the daemon is lost at a restart and at a failover. The database is then opened
    again.

    Attributes:
        generation: number of times that the database was opened.
        is_open: True while transactions are accepted.
        quarantines: 0, as nothing on a server is ever moved aside.
    """

    quarantines = 0

    def __init__(self, database: Database) -> None:
        """Suspend the database until `ensure_open`."""
        self.generation = 0
        self.is_open = False
        self._database = database
        self._lock: AdvisoryLock | None = None
        self._suspend(StorageError(f"{database.name}: not open yet", StorageErrorKind.UNAVAILABLE))

    def ensure_open(self) -> None:
        """Open the database if it is not open; otherwise check that the session with the lock still answers.

        Raises:
            LockHeldError: another daemon uses the rows of this host.
            StorageError: the database cannot be opened; the next call tries again.
        """
        with storage_errors(self._database.name):
            if self._lock is not None and self._lock.is_current() and not self._database.statement_refused:
                return
            self._release()
            try:
                self._open()
            except Exception as error:
                self._release()
                self._suspend(error)
                raise

    def close(self) -> None:
        """Close the database, and release its lock."""
        self._suspend(StorageError("closed", StorageErrorKind.UNAVAILABLE))
        self._release()
        self._database.close()

    def _open(self) -> None:
        """Acquire the lock, check the schema, and accept transactions.

        Raises:
            LockHeldError: another daemon uses the rows of this host.
            StorageError: the database cannot be opened.
        """
        server = self._database.server
        if server is None:
            raise StorageError.of_kind(StorageErrorKind.INVALID_URL, self._database.name, "not on a server")
        self._database.pool.close()
        self._lock = server.lock(self._database.engine, "daemon", LOCK_WAIT).__enter__()
        prepare_schema(self._database)
        self._database.pool.resume()
        self._database.statement_refused = False
        self.generation += 1
        self.is_open = True

    def _suspend(self, error: Exception) -> None:
        self.is_open = False
        self._database.pool.suspend(translated(error, self._database.name), PATIENCE)

    def _release(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()
