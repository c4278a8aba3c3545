"""Retention job: deletes records older than the configured retention."""

from __future__ import annotations

import math
from collections.abc import Callable

from model.features.spacing import GAP_FACTOR
from model.units import DAY, HOUR
from monitor.stores import Stores

MAX_GAP_SECONDS = 2 * HOUR
"""Longest gap between samples that counts as age, in seconds; longer ones may come from a clock step."""

CAPACITY_KEPT = 35 * DAY
"""Seconds for which the use of file systems and memory is kept, if the retention is not shorter."""

NOTIFICATIONS_KEPT = 7 * DAY
"""Seconds for which the record of a delivered or abandoned notification is kept."""

MIN_SAMPLES = 1000
"""Number of newest samples that are never deleted."""


class RetentionJob:
    """Periodic job that deletes old samples and the records derived from these samples.

    The age of a sample is the time that newer samples cover. A clock that was set ahead therefore deletes nothing:
    time passes only while samples are taken.
    """

    def __init__(
        self,
        stores: Stores,
        retention: float,
        interval: float,
        clock: Callable[[], float],
        min_samples: int = MIN_SAMPLES,
    ) -> None:
        """Initialize the job.

        Args:
            stores: repositories.
            retention: largest age of a sample in seconds.
            interval: seconds between two samples.
            clock: returns the current time in seconds since the epoch.
            min_samples: number of newest samples that are never deleted.
        """
        self._stores = stores
        self._retention = retention
        self._max_gap = max(MAX_GAP_SECONDS, GAP_FACTOR * interval)
        self._clock = clock
        self._min_samples = min_samples

    def run(self) -> None:
        """Delete samples older than the retention and records older than the oldest remaining sample.

        1. Delete samples older than the retention. A gap longer than MAX_GAP_SECONDS does not count as age.
        2. Delete predictions and scores (live and replayed), block maxima and process snapshots older than the
           oldest remaining sample.
        3. Delete replayed anomalies without a verdict that started before this sample.
        4. Delete the use of file systems and memory before CAPACITY_KEPT.
        5. Delete the notifications that were finished more than NOTIFICATIONS_KEPT ago.

        Raises:
            StorageError: the database cannot be written.
        """
        samples = self._stores.samples
        samples.purge(self._start_of_newest(self._retention))
        oldest = samples.oldest_at()
        if oldest is not None:
            self._stores.predictions.purge(oldest)
            self._stores.scores.purge(oldest)
            self._stores.anomalies.purge_peaks(oldest)
            self._stores.process_snapshots.purge(oldest)
            self._stores.replayed_predictions.purge(oldest)
            self._stores.replayed_scores.purge(oldest)
            self._stores.anomalies.replace_replayed(-math.inf, oldest, [])
        self._stores.capacity.purge(self._start_of_newest(min(self._retention, CAPACITY_KEPT)))
        self._stores.notifications.purge_finished(self._clock() - NOTIFICATIONS_KEPT)

    def _start_of_newest(self, seconds: float) -> float:
        """Return the time since which samples cover `seconds` seconds."""
        return self._stores.samples.start_of_newest(
            seconds, until=self._clock(), max_gap=self._max_gap, min_rows=self._min_samples
        )
