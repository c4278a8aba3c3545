"""Samples and predictions outlive a database that is away.

While nothing can be written they wait in memory, and the first write that succeeds brings them all in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger
from storage import Prediction, PredictionRepository, Sample, SampleRepository, StorageError

log = get_logger(__name__)

CAPACITY = 20_000
"""Samples that wait at most: more than a day at 5 s, about 10 MB."""


class SampleBuffer:
    """Writes samples in order, through outages. For one thread."""

    def __init__(self, store: SampleRepository, capacity: int = CAPACITY) -> None:
        self._store = store
        self._waiting: deque[Sample] = deque(maxlen=capacity)
        self._outage = RecurringFailure(log, "storage write failed", "storage write recovered")
        self.failures = 0

    @property
    def waiting(self) -> int:
        """Samples that are not yet in the database."""
        return len(self._waiting)

    def append(self, sample: Sample) -> float:
        """Stores a sample, or keeps it for later; returns the time it is known under. Raises nothing."""
        try:
            if not self._waiting:
                return self._store.append(sample)
            self._store.append_many([*self._waiting, sample])
        except StorageError as error:
            self._keep(sample, error)
        else:
            self._outage.success(samples_written=self.waiting + 1)
            self._waiting.clear()
        return sample.at

    def _keep(self, sample: Sample, error: StorageError) -> None:
        self.failures += 1
        self._waiting.append(sample)
        self._outage.failure(error=error, samples_waiting=self.waiting)


class PredictionBuffer:
    """Writes predictions a few seconds together. For one thread.

    A sample must be on disk before anything else happens; a prediction can be made again from the samples, so those
    of up to `together` seconds share one commit.
    """

    def __init__(self, store: PredictionRepository, together: float = 5.0, capacity: int = CAPACITY) -> None:
        self._store, self._together = store, together
        self._waiting: deque[Prediction] = deque(maxlen=capacity)
        self.failures = 0

    def append(self, predictions: Sequence[Prediction], interval: float) -> None:
        """Takes the predictions of a moment; the next one is `interval` seconds away. Raises nothing."""
        self._waiting.extend(predictions)
        if self._waiting and predictions[0].at + interval - self._waiting[0].at >= self._together:
            self.flush()

    def flush(self) -> None:
        """Writes what waits, or keeps it for later."""
        try:
            self._store.append(self._waiting)
        except StorageError as error:
            self.failures += 1
            log.debug("prediction write failed", error=error)
        else:
            self._waiting.clear()
