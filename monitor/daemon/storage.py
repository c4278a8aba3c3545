"""Storage of the daemon: opened, checked and recovered by the storage writer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from monitor.config.loader import default_state_directory
from monitor.errors import MonitorError
from monitor.inference.stored_samples import sample_values
from monitor.sampling.spool import SpoolError, read_spool, spool_paths, write_spool
from monitor.stores import stores_of
from monitor.system.logging import get_logger
from storage import Database, Sample, StorageError, StorageErrorKind
from storage.database import closed_database
from storage.recovery.events import FATAL, OpeningRefusedError, Recovery
from storage.recovery.keeper import DatabaseKeeper
from storage.recovery.quarantine import quarantine

if TYPE_CHECKING:
    from storage.recovery.server_keeper import ServerKeeper

log = get_logger(__name__)

SAVE_INTERVAL = 30.0
"""Seconds between two copies of the waiting samples in the spool while a server is away."""

BUSY_TIMEOUT = 2.0
"""Longest time in seconds that a transaction waits for another writer."""


class DaemonStorage:
    """Database of the daemon; the daemon starts and continues while it is unavailable.

    Attributes:
        url: URL of the database.
        stores: repositories; their methods raise StorageError while the database is unavailable.
    """

    def __init__(self, url: str) -> None:
        """Initialize without opening the database.

        Raises:
            StorageError: the URL is invalid.
        """
        database = closed_database(url, busy_timeout=BUSY_TIMEOUT)
        self.url = url
        self.stores = stores_of(database)
        self._keeper = _keeper_of(database)
        base = _spool_base(database)
        self._spools = [] if base is None else spool_paths(base, os.environ)
        self._damaged_spools = 0
        self._is_remote = database.server is not None
        self._save_at = 0.0
        self._generation = 0

    @property
    def quarantines(self) -> int:
        """Number of damaged files moved aside."""
        return self._keeper.quarantines + self._damaged_spools

    def open_generation(self) -> int | None:
        """Return the number of times that the database was opened; None while it is unavailable."""
        return self._keeper.generation if self._keeper.is_open else None

    def ensure_open(self, recently_stored: Callable[[], Sequence[Sample]] = tuple) -> None:
        """Open or recover the database; after an opening, store the samples that it may lack.

        Args:
            recently_stored: returns the samples stored last, which are stored again after the loss of files.

        Raises:
            OpeningRefusedError: the database, which has never been open, is unavailable for a cause in FATAL.
            StorageError: the database is unavailable.
        """
        try:
            self._keeper.ensure_open()
        except StorageError as error:
            if error.kind in FATAL and not self._keeper.generation:
                raise OpeningRefusedError(str(error), error.kind) from error
            raise
        if self._keeper.generation == self._generation:
            return
        restored = self._insert(recently_stored()) if self._generation else 0
        if restored:
            log.info("samples restored", samples=restored)
        for path in self._spools:
            self._store_spool(path)
        self._generation = self._keeper.generation

    def spool(self, waiting: Sequence[Sample]) -> None:
        """Write samples that could not be stored to the spool."""
        if not waiting:
            return
        path = write_spool(self._spools, waiting)
        if path is None:
            log.error("samples lost", samples=len(waiting))
        else:
            log.warning("samples spooled", samples=len(waiting), file=path)

    def save(self, waiting: Sequence[Sample]) -> None:
        """Write waiting samples to the spool now and then while a server is away, in case that this process ends.

        A file is not saved: its file system would be that of the spool.
        """
        if self._is_remote and waiting and time.monotonic() >= self._save_at:
            self._save_at = time.monotonic() + SAVE_INTERVAL
            write_spool(self._spools, waiting)

    def close(self) -> None:
        """Close the database."""
        self._keeper.close()

    def _store_spool(self, path: Path) -> None:
        """Store the samples of a spool, then delete it; move a damaged one aside.

        Raises:
            StorageError: the samples cannot be stored; the spool stays.
        """
        try:
            samples = read_spool(path)
        except (SpoolError, ValueError, TypeError, AttributeError, KeyError) as error:
            with suppress(OSError):
                moved_to = quarantine(path, time.time())
                self._damaged_spools += 1
                log.error("spool damaged", file=path, moved_to=moved_to, error=error)
            return
        except OSError as error:
            log.warning("spool read failed", file=path, error=error)
            return
        if samples:
            log.info("spool stored", file=path, samples=len(samples), added=self._insert(samples))
            with suppress(OSError):
                path.unlink()

    def _insert(self, samples: Sequence[Sample]) -> int:
        """Store the samples that the database lacks, and return their number.

        Raises:
            StorageError: the samples cannot be stored.
        """
        if not samples:
            return 0
        table = np.array([[sample.at, *sample_values(sample)] for sample in samples])
        return self.stores.samples.insert_missing(table)


def _keeper_of(database: Database) -> DatabaseKeeper | ServerKeeper:
    if database.server is None:
        return DatabaseKeeper(database, _log_recovery)
    # Loaded for a server only.
    from storage.recovery.server_keeper import ServerKeeper  # noqa: PLC0415

    return ServerKeeper(database)


def _spool_base(database: Database) -> Path | None:
    """Return the path next to which the spool is: for a server in the state directory; None for one in memory."""
    if database.server is not None:
        return default_state_directory(os.environ) / database.server.schema
    return database.path


def _log_recovery(recovery: Recovery) -> None:
    if recovery.moved_to is None:
        log.warning("database reopened", change=recovery.change)
    else:
        log.error("database moved aside", change=recovery.change, damage=recovery.damage, moved_to=recovery.moved_to)


def raise_fatal(error: StorageError | None) -> None:
    """Raise an error that only a person can remove, such as another daemon on the same database.

    Raises:
        MonitorError: another daemon uses the database.
        StorageError: the database belongs to another program or a newer release.
    """
    if error is None or error.kind not in FATAL:
        return
    if error.kind is StorageErrorKind.LOCK_HELD:
        raise MonitorError(f"another daemon runs on this database: {error}") from error
    raise error
