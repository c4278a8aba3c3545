"""Write buffers: samples and predictions kept in memory while the database cannot be written."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger
from storage import Prediction, PredictionRepository, Sample, SampleRepository, StorageError

log = get_logger(__name__)

CAPACITY = 20_000
"""Largest number of waiting samples (28 hours at an interval of 5 s, about 10 MB) or predictions; the oldest are
dropped.
"""


class SampleBuffer:
    """Buffer of samples that could not be stored; the next successful write stores all of them in order.

    For use by one thread.

    Attributes:
        failures: number of failed writes.
    """

    def __init__(self, repository: SampleRepository, capacity: int = CAPACITY) -> None:
        self._repository = repository
        self._waiting: deque[Sample] = deque(maxlen=capacity)
        self._outage = RecurringFailure(log, "storage write failed", "storage write recovered")
        self.failures = 0

    @property
    def waiting(self) -> int:
        """Return the number of samples that are not stored yet."""
        return len(self._waiting)

    def append(self, sample: Sample) -> float:
        """Store a sample, or keep it for a later write if storage fails.

        Returns:
            The time under which the sample is stored, in seconds since the epoch; `sample.at` if the write failed or
            earlier samples were waiting.
        """
        try:
            if not self._waiting:
                return self._repository.append(sample)
            self._repository.append_many([*self._waiting, sample])
        except StorageError as error:
            self.failures += 1
            self._waiting.append(sample)
            self._outage.failure(error=error, samples_waiting=self.waiting)
        else:
            self._outage.success(samples_written=self.waiting + 1)
            self._waiting.clear()
        return sample.at


class PredictionBuffer:
    """Buffer that stores the predictions of up to `batch_seconds` in one transaction. For use by one thread.

    A prediction that is lost in a crash can be computed again from the samples, so a delayed commit is acceptable.

    Attributes:
        failures: number of failed writes.
    """

    def __init__(
        self, repository: PredictionRepository, batch_seconds: float = 5.0, capacity: int = CAPACITY
    ) -> None:
        self._repository = repository
        self._batch_seconds = batch_seconds
        self._waiting: deque[Prediction] = deque(maxlen=capacity)
        self.failures = 0

    def append(self, predictions: Sequence[Prediction], interval: float) -> None:
        """Add predictions to the batch; store the batch if it would span `batch_seconds` at the next cycle.

        Args:
            predictions: predictions of one sampling cycle, one per horizon.
            interval: seconds until the next cycle.
        """
        self._waiting.extend(predictions)
        # A clock step in either direction also ends the batch.
        if self._waiting and not -interval < predictions[0].at - self._waiting[0].at < self._batch_seconds - interval:
            self.flush()

    def flush(self) -> None:
        """Store the waiting predictions, or keep them if storage fails."""
        try:
            self._repository.append(self._waiting)
        except StorageError as error:
            self.failures += 1
            log.debug("prediction write failed", error=error)
        else:
            self._waiting.clear()
