"""Storage of the daemon: opened, checked and recovered by the storage writer."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from monitor.config.loader import Config
from monitor.errors import MonitorError
from monitor.inference.stored_samples import sample_values
from monitor.sampling.spool import SpoolError, read_spool, spool_paths, write_spool
from monitor.sampling.write_buffer import StorageState, WriteBuffer
from monitor.stores import stores_of
from monitor.system.logging import get_logger
from storage import Sample, StorageErrorKind
from storage.database import closed_database
from storage.recovery.events import FATAL, Recovery
from storage.recovery.keeper import DatabaseKeeper
from storage.recovery.quarantine import quarantine

log = get_logger(__name__)

BUSY_TIMEOUT = 0.5
"""Longest time in seconds that a transaction waits for another writer."""


class DaemonStorage:
    """Database of the daemon with its write buffer; starts and continues while the database is unavailable.

    Attributes:
        stores: repositories; their methods raise StorageError while the database is unavailable.
        keeper: opens and recovers the database.
        buffer: samples and predictions to store.
    """

    def __init__(self, config: Config) -> None:
        """Initialize without opening the database; `buffer` opens it.

        Raises:
            StorageError: the URL is invalid.
        """
        database = closed_database(config.database_url, busy_timeout=BUSY_TIMEOUT)
        self.stores = stores_of(database)
        self.keeper = DatabaseKeeper(database, _log_recovery)
        self.buffer = WriteBuffer(self.stores.cycles, config.sampling.interval, self._ensure_open)
        self._spools = [] if database.path is None else spool_paths(database.path, os.environ)
        self._damaged_spools = 0
        self._generation = 0

    def open_generation(self) -> int | None:
        """Return the number of times that the database was opened; None while it is unavailable."""
        return self.keeper.generation if self.keeper.is_open else None

    def state(self) -> StorageState:
        """Return the state of the writes and of the recoveries. Safe to call from any thread."""
        return replace(self.buffer.state(), quarantines=self.keeper.quarantines + self._damaged_spools)

    def raise_fatal(self) -> None:
        """Raise an error that only a person can remove, such as another daemon on the same database.

        Raises:
            MonitorError: another daemon uses the database.
            StorageError: the database belongs to another program or a newer release.
        """
        error = self.buffer.error
        if error is None or error.kind not in FATAL:
            return
        if error.kind is StorageErrorKind.LOCK_HELD:
            raise MonitorError(f"another daemon runs on this database: {error}") from error
        raise error

    def close(self) -> None:
        """Write samples that could not be stored to the spool, and close the database."""
        waiting = self.buffer.waiting()
        if waiting:
            path = write_spool(self._spools, waiting)
            if path is None:
                log.error("samples lost", samples=len(waiting))
            else:
                log.warning("samples spooled", samples=len(waiting), file=path)
        self.keeper.close()

    def _ensure_open(self) -> None:
        """Open or recover the database; after an opening, restore the samples that it may lack.

        Raises:
            StorageError: the database is unavailable.
        """
        self.keeper.ensure_open()
        if self.keeper.generation == self._generation:
            return
        if self._generation:
            restored = self._insert(self.buffer.recently_stored())
            if restored:
                log.info("samples restored", samples=restored)
        for path in self._spools:
            self._store_spool(path)
        self._generation = self.keeper.generation

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


def _log_recovery(recovery: Recovery) -> None:
    if recovery.moved_to is None:
        log.warning("database reopened", change=recovery.change)
    else:
        log.error("database moved aside", change=recovery.change, damage=recovery.damage, moved_to=recovery.moved_to)
