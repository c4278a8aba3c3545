"""Retention job: deletes records older than the configured retention."""

from __future__ import annotations

import math
from collections.abc import Callable

from monitor.stores import Stores

MAX_GAP_RATIO = 0.25
"""Longest gap between samples that counts as age, as a fraction of the retention; a clock step leaves longer gaps."""


class RetentionJob:
    """Periodic job that deletes old samples and the records derived from these samples."""

    def __init__(self, stores: Stores, retention: float, interval: float, clock: Callable[[], float]) -> None:
        """Initialize the job.

        Args:
            stores: repositories.
            retention: largest age of a sample in seconds.
            interval: seconds between two samples.
            clock: returns the current time in seconds since the epoch.
        """
        self._stores = stores
        self._retention = retention
        self._interval = interval
        self._clock = clock

    def run(self) -> None:
        """Delete samples older than the retention and records older than the oldest remaining sample.

        1. Delete samples older than the retention. A gap longer than a quarter of the retention counts as one
           sampling interval, because all samples look old after a forward clock step.
        2. Delete predictions and scores (live and replayed) and block maxima older than the oldest remaining sample.
        3. Delete replayed anomalies without a verdict that started before this sample.

        Raises:
            StorageError: the database cannot be written.
        """
        samples = self._stores.samples
        samples.purge(
            samples.start_of_newest(
                self._retention,
                until=self._clock(),
                max_gap=MAX_GAP_RATIO * self._retention,
                gap_seconds=self._interval,
            )
        )
        oldest = samples.oldest_at()
        if oldest is not None:
            self._stores.predictions.purge(oldest)
            self._stores.scores.purge(oldest)
            self._stores.anomalies.purge_peaks(oldest)
            self._stores.replayed_predictions.purge(oldest)
            self._stores.replayed_scores.purge(oldest)
            self._stores.anomalies.replace_replayed(-math.inf, oldest, [])
