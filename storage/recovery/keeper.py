"""Database keeper: opening, checks of the files and recovery for the daemon."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from storage.database import DAMAGE, Database, prepare_schema
from storage.errors import LockHeldError, StorageError, StorageErrorKind, storage_errors, translated
from storage.file_ownership import prepare_database_file
from storage.inspection import lock_holder
from storage.locks import ExclusiveLock
from storage.postgresql.locks import AdvisoryLock
from storage.recovery.database_file import DatabaseFile, FileChange
from storage.recovery.events import EXAMINED, Recovery
from storage.recovery.quarantine import damage_of, has_orphaned_log, move_log_aside, quarantine, quarantine_name
from storage.recovery.schema_watch import SchemaWatch

CHECK_INTERVAL = 60.0
"""Seconds between two checks of header and schema; the identity of the files is checked before every write."""

REPLACED = DAMAGE | {StorageErrorKind.SCHEMA_DAMAGED}
"""Kinds of errors at the start after which a damaged database of this program is moved aside."""

PATIENCE = 5.0
"""Longest time in seconds to wait for transactions in progress before the connections are closed."""


class DatabaseKeeper:
    """Keeps a database open for a daemon. For use by one thread; the attributes are safe to read in any thread.

    Attributes:
        generation: number of times that the database was opened.
        is_open: True while transactions are accepted.
        quarantines: number of databases moved aside.
    """

    def __init__(
        self,
        database: Database,
        report: Callable[[Recovery], None] = lambda _: None,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Suspend the database until `ensure_open`.

        Args:
            database: database that is not open.
            report: called after each recovery.
            clock: returns seconds since the epoch.
            monotonic: monotonic clock; returns seconds.
        """
        self.generation = 0
        self.is_open = False
        self.quarantines = 0
        self._database = database
        self._report = report
        self._clock = clock
        self._monotonic = monotonic
        self._open_files = ExitStack()
        self._file: DatabaseFile | None = None
        self._lock: ExclusiveLock | AdvisoryLock | None = None
        self._anchor: Any = None
        self._is_own = False
        self._check_at = 0.0
        self._schema = SchemaWatch(database)
        self._recovery: Recovery | None = None
        self._suspend(StorageError(f"{database.name}: not open yet", StorageErrorKind.UNAVAILABLE))

    def ensure_open(self) -> None:
        """Open the database if it is not open; otherwise check that its files are still those that are open.

        1. Compare the files; once a minute also check the header and whether the schema has changed. A refused
           statement also leads to a check of the schema.
        2. After a change or an error that reports damage, close all connections, and move a damaged database aside.
        3. Open the database: create or migrate it if necessary.

        Raises:
            StorageError: the database cannot be opened; the next call tries again.
        """
        with storage_errors(self._database.name, self._database.path):
            if self._file is not None:
                change = self._change(self._file)
                if change is None:
                    return
                self._close_changed(self._file, change)
            try:
                self._open_or_close()
            except Exception as error:
                kind = translated(error, self._database.name, self._database.path).kind
                if kind not in REPLACED or not self._is_own:
                    raise
                known = str(error) if kind is StorageErrorKind.SCHEMA_DAMAGED else ""
                self._recovery = self._examined(FileChange.SCHEMA_DAMAGED if known else FileChange.ERRORS, known)
                if self._recovery.moved_to is None:
                    raise
                self._open_or_close()
            if self._recovery is not None:
                self._report(self._recovery)
                self._recovery = None

    def close(self) -> None:
        """Close the database, and release its locks."""
        self._suspend(StorageError("closed", StorageErrorKind.UNAVAILABLE))
        self._close_files()
        self._database.close()

    def _change(self, file: DatabaseFile) -> FileChange | None:
        """Return the change of the open files; None if there is none."""
        change = file.change()
        if change is not None:
            return change
        if self._database.damage_reported:
            return FileChange.ERRORS
        is_due = self._monotonic() >= self._check_at
        if is_due:
            self._check_at = self._monotonic() + CHECK_INTERVAL
            if file.has_damaged_header():
                return FileChange.HEADER_DAMAGED
            # The lock on the database itself keeps other daemons away; commands look for the lock file.
            self._hold_lock_file()
        if self._schema.is_damaged(self._anchor.driver_connection, compare=is_due):
            return FileChange.SCHEMA_DAMAGED
        return None

    def _close_changed(self, file: DatabaseFile, change: FileChange) -> None:
        """Close the files after a change, save what only the open files contain, and move damaged files aside.

        Raises:
            StorageError: transactions are still in progress; the next call tries again.
        """
        detail = f"its files have changed ({change})"
        error = StorageError.of_kind(StorageErrorKind.RECOVERING, self._database.name, detail)
        if not self._suspend(error):
            raise error
        if change is FileChange.LOG_TRUNCATED:
            # Otherwise the connections would copy the rest of the log into the database when they close.
            file.truncate_log(Path(f"{quarantine_name(file.path, self._clock())}-wal"))
        elif change in (FileChange.REPLACED, FileChange.LOG_REPLACED):
            with suppress(sqlite3.Error):
                self._anchor.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        has_stale_log = change is FileChange.REPLACED and file.owns_log()
        self._close_files()
        moved_to = move_log_aside(file.path, self._clock()) if has_stale_log else None
        self._recovery = self._examined(change) if change in EXAMINED else Recovery(change, moved_to=moved_to)

    def _examined(self, change: FileChange, known: str = "") -> Recovery:
        """Check a database without connections, and move it aside if SQLite finds damage or damage is known."""
        path = self._path()
        damage = known or damage_of(path)
        if not damage:
            return Recovery(change)
        moved_to = quarantine(path, self._clock())
        self.quarantines += 1
        return Recovery(change, damage, moved_to)

    def _open_or_close(self) -> None:
        """Open the database; after an error, close what was opened, whose locks would refuse the next attempt.

        Raises:
            StorageError: the database cannot be opened.
        """
        try:
            self._open()
        except Exception as error:
            self._close_files()
            self._suspend(error)
            raise

    def _open(self) -> None:
        """Open and lock the database file, a connection, the schema and the lock file, in this order.

        Raises:
            StorageError: the database cannot be opened; what was opened stays in `_open_files`.
        """
        path = self._path()
        if has_orphaned_log(path):
            # SQLite would delete the log of an empty database.
            moved_to = quarantine(path, self._clock())
            self.quarantines += 1
            self._recovery = self._recovery or Recovery(FileChange.TRUNCATED, "the database is empty", moved_to)
        prepare_database_file(path)
        try:
            file = DatabaseFile(path)
        except LockHeldError as error:
            lock = self._database.lock_path("daemon")
            holder = None if lock is None else lock_holder(lock)
            raise LockHeldError(f"{path} is held by process {holder or 'unknown'}") from error
        self._open_files.callback(file.close)
        # Only a database of this program has ever had lock files.
        self._is_own = file.is_own() or any(map(self._has_lock_file, ("daemon", "migrate")))
        self._anchor = self._database.engine.raw_connection()
        self._open_files.callback(self._anchor.close)
        prepare_schema(self._database)
        self._hold_lock_file()
        # The anchor keeps the log open: SQLite deletes it with the last connection.
        self._anchor.driver_connection.execute("SELECT count(*) FROM samples WHERE at < 0").fetchall()
        file.record()
        self._schema.record(self._anchor.driver_connection)
        self._file = file
        self._check_at = self._monotonic() + CHECK_INTERVAL
        self._database.damage_reported = False
        self._database.pool.resume()
        self.generation += 1
        self.is_open = True

    def _path(self) -> Path:
        if self._database.path is None:
            raise StorageError.of_kind(StorageErrorKind.NO_FILE, self._database.name, "not a database in a file")
        return self._database.path

    def _has_lock_file(self, name: str) -> bool:
        path = self._database.lock_path(name)
        return path is not None and path.exists()

    def _hold_lock_file(self) -> None:
        """Lock the lock file that commands look for, also after it was deleted.

        Raises:
            LockHeldError: another daemon holds it.
            StorageError: it cannot be opened.
        """
        if self._lock is None or not self._lock.is_current():
            lock = self._database.lock("daemon")
            self._open_files.enter_context(lock)
            self._lock = lock

    def _suspend(self, error: Exception) -> bool:
        """Refuse transactions with an error; return False if transactions are still in progress."""
        self.is_open = False
        return self._database.pool.suspend(translated(error, self._database.name, self._database.path), PATIENCE)

    def _close_files(self) -> None:
        self._file = None
        self._lock = None
        self._anchor = None
        self._open_files.close()
