"""Retention job: deletes records older than the configured retention."""

from __future__ import annotations

from collections.abc import Callable

from monitor.stores import Stores


class RetentionJob:
    """Periodic job that deletes samples beyond the retention, and what was derived from them."""

    def __init__(self, stores: Stores, retention: float, interval: float, clock: Callable[[], float]) -> None:
        """Create the job.

        Args:
            stores: repositories.
            retention: age in seconds beyond which samples are deleted.
            interval: seconds between two samples.
            clock: seconds since the epoch.
        """
        self._stores = stores
        self._retention = retention
        self._clock = clock
        self._rows_to_keep = int(retention / interval)

    def run(self) -> None:
        """Delete old records.

        1. Delete samples older than the retention. The number of samples that fit into it always stays, because a
           clock that jumped ahead makes all samples look old.
        2. Delete predictions, scores and peaks of the anomaly detector older than the oldest remaining sample.

        Raises:
            StorageError: the database cannot be written.
        """
        self._stores.samples.purge(self._clock() - self._retention, keep_newest=self._rows_to_keep)
        oldest = self._stores.samples.oldest_at()
        if oldest is not None:
            self._stores.predictions.purge(oldest)
            self._stores.scores.purge(oldest)
            self._stores.anomalies.purge_peaks(oldest)
