"""Compaction job: compresses the samples and predictions of old hours."""

from __future__ import annotations

import time
from collections.abc import Callable

from model.units import DAY, HOUR
from monitor.stores import Stores
from storage import COMPACTED_TABLES

MIN_AGE = DAY
"""Seconds after its end for which an hour is left as it is: the newest rows are read and written most."""

HOURS_PER_RUN = 30
"""Largest number of hours of each table that one run compresses: a year of history takes a day."""

PAUSE = 0.1
"""Seconds between two hours, in which other jobs and the storage writer can write."""


class CompactionJob:
    """Periodic job that replaces the rows of complete old hours by compressed blocks.

    Each hour is one short transaction. An hour that has been written to since is compressed again. An hour that
    cannot be compressed, because of a damaged row, is tried again an hour later.
    """

    def __init__(
        self,
        stores: Stores,
        clock: Callable[[], float],
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """Initialize the job.

        Args:
            stores: repositories.
            clock: returns the current time in seconds since the epoch.
            pause: waits for a number of seconds.
        """
        self._stores = stores
        self._clock = clock
        self._pause = pause
        self._searched_from: dict[str, float] = {}
        self._restarted_at = 0.0

    def run(self) -> None:
        """Compress a few hours of each table, oldest first.

        1. Once an hour, start again with the oldest row: earlier hours may have new rows.
        2. Compress hours that ended more than MIN_AGE before now and before the newest sample. A clock that was set
           ahead therefore compresses no current hour.

        Raises:
            StorageError: the database cannot be written.
        """
        now = self._clock()
        if not 0 <= now - self._restarted_at < HOUR:
            self._searched_from = {}
            self._restarted_at = now
        newest = self._stores.samples.last(until=now)
        if newest is not None:
            for name in COMPACTED_TABLES:
                self._compact(name, newest.at - MIN_AGE)

    def _compact(self, name: str, before: float) -> None:
        for _ in range(HOURS_PER_RUN):
            hour = self._stores.compactor.compact_next(name, self._searched_from.get(name, 0.0), before)
            if hour is None:
                return
            self._searched_from[name] = hour.start + HOUR
            self._pause(PAUSE)
