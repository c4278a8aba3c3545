"""Write buffer: samples and predictions that wait for the database, and their transactions."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from monitor.sampling.storage_state import StorageState
from monitor.sampling.write_queue import WriteQueue
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger
from storage import CycleRepository, Prediction, Sample, StorageError, StorageErrorKind
from storage.recovery.events import OpeningRefusedError

log = get_logger(__name__)

CAPACITY = 20_000
"""Largest number of waiting samples (28 hours at an interval of 5 s, about 12 MB) or predictions; then the oldest are
dropped.
"""

BATCH_ROWS = 500
"""Largest number of samples in one transaction: after an outage, a little free space suffices for the first ones."""

MIN_DELAY = 0.25
MAX_DELAY = 5.0
"""Bounds of the time in seconds between two attempts to write; it doubles with every failure."""

RECENT_SAMPLES = 600
"""Number of stored samples kept in memory: the files of a database may be lost before the loss is noticed."""

STALL_SECONDS = 5.0
"""Duration of a write in seconds after which the state names the database as not responding."""

REFUSED_VALUES = frozenset({StorageErrorKind.DUPLICATE_KEY, StorageErrorKind.OTHER})
"""Kinds of errors that a value may cause, such as a probability that is no number."""


class WriteBuffer:
    """Queues of samples and predictions that one thread fills and another one stores, oldest first.

    One transaction per sampling cycle stores the sample with its predictions.

    Attributes:
        error: error of the last write; None if it succeeded.
        retry_at: time of the monotonic clock before which `write` does nothing, in seconds.
    """

    def __init__(
        self,
        cycles: CycleRepository,
        ready: Callable[[], None] = lambda: None,
        *,
        capacity: int = CAPACITY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Initialize an empty buffer.

        Args:
            cycles: repository to write to.
            ready: called before each write; raises StorageError while the database is unavailable.
            capacity: largest number of waiting samples, and of waiting predictions.
            monotonic: monotonic clock; returns seconds.
        """
        self.error: StorageError | None = None
        self.retry_at = 0.0
        self._cycles = cycles
        self._ready = ready
        self._monotonic = monotonic
        self._samples: WriteQueue[Sample] = WriteQueue(capacity)
        self._predictions: WriteQueue[Prediction] = WriteQueue(capacity)
        self._stored: deque[Sample] = deque(maxlen=RECENT_SAMPLES)
        self._batch_rows = BATCH_ROWS
        self._delay = MIN_DELAY
        self._attempt_at: float | None = None
        self._failures = 0
        # Number of the oldest waiting samples that may be stored: an attempt may have failed after its commit.
        self._uncertain = 0
        self._outage = RecurringFailure(log, "storage write failed", "storage write recovered")
        self._refusals = RecurringFailure(log, "predictions discarded", "prediction write recovered")
        self._drops = RecurringFailure(log, "samples dropped", "sample buffer recovered")

    def use(self, cycles: CycleRepository, ready: Callable[[], None] = lambda: None) -> None:
        """Write to another repository; what is waiting stays. Safe to call from any thread."""
        if cycles is not self._cycles:
            self._ready = ready
            self._cycles = cycles
            self.retry_at = 0.0

    def add(self, sample: Sample) -> None:
        """Add a sample; a full buffer drops its oldest one."""
        if self._samples.extend((sample,)):
            self._drops.failure(samples_dropped=self._samples.dropped)
        else:
            self._drops.success()

    def add_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Add the predictions of one sampling cycle, one per horizon."""
        self._predictions.extend(predictions)

    def state(self) -> StorageState:
        """Return the state of the writes. Safe to call from any thread."""
        error = self.error
        attempt_at = self._attempt_at
        problem = None if error is None else error.kind
        message = "" if error is None else str(error)
        if error is None and attempt_at is not None and self._monotonic() - attempt_at >= STALL_SECONDS:
            problem = StorageErrorKind.NO_RESPONSE
            message = f"the database does not respond; {problem.advice}"
        return StorageState(
            problem=problem,
            message=message,
            samples_buffered=len(self._samples),
            samples_dropped=self._samples.dropped,
            write_failures=self._failures,
        )

    def waiting(self) -> list[Sample]:
        """Return the samples that are not stored, oldest first."""
        return self._samples.items()

    def recently_stored(self) -> list[Sample]:
        """Return the samples stored last, oldest first, at most RECENT_SAMPLES; for the thread that stores."""
        return list(self._stored)

    def probe(self) -> None:
        """Call `ready` without a write, and set `error` if it fails."""
        try:
            self._ready()
        except Exception as error:
            self._failed(error, 0)
        else:
            self._recovered()

    def write(self) -> float | None:
        """Store the waiting samples and predictions, unless the last write has just failed.

        If nothing waits after a failure, only `ready` is called.

        Returns:
            The time under which the newest sample is stored, in seconds since the epoch; None if none was stored.
        """
        newest_at: float | None = None
        while self._monotonic() >= self.retry_at:
            if not (self._samples or self._predictions):
                if self.error is not None:
                    self.probe()
                break
            samples = self._samples.take(self._batch_rows)
            times = self._attempt(samples, self._predictions.take(self._batch_rows))
            if times:
                newest_at = times[-1]
        return newest_at

    def _attempt(self, samples: Sequence[Sample], predictions: Sequence[Prediction]) -> list[float]:
        """Store what was taken from the queues.

        Returns:
            The time under which each sample is stored; empty if the write failed.
        """
        self._attempt_at = self._monotonic()
        try:
            self._ready()
            times = self._store(samples, predictions)
        except Exception as error:
            self._samples.put_back()
            self._predictions.put_back()
            self._failed(error, len(samples))
            return []
        finally:
            self._attempt_at = None
        self._samples.remove_taken()
        self._uncertain = max(0, self._uncertain - len(samples))
        self._predictions.remove_taken()
        self._stored.extend(replace(sample, at=at) for sample, at in zip(samples, times, strict=True))
        self._move_predictions(samples, times)
        self._batch_rows = min(BATCH_ROWS, 2 * self._batch_rows)
        self._recovered()
        return times

    def _store(self, samples: Sequence[Sample], predictions: Sequence[Prediction]) -> list[float]:
        """Store samples and predictions in one transaction; discard predictions that the database refuses.

        Raises:
            StorageError: the database refuses the operation.
        """
        try:
            return self._cycles.append(samples, predictions, repeated=self._uncertain > 0)
        except Exception as error:
            if not predictions or (isinstance(error, StorageError) and error.kind not in REFUSED_VALUES):
                raise
            times = self._cycles.append(samples, ())
            self._failures += 1
            self._refusals.failure(error=error, predictions=len(predictions))
            return times

    def _recovered(self) -> None:
        self.error = None
        self._delay = MIN_DELAY
        self._outage.success(samples_waiting=len(self._samples))

    def _failed(self, error: Exception, rows: int) -> None:
        self._failures += 1
        self._uncertain = len(self._samples)
        self.error = error if isinstance(error, StorageError) else StorageError(f"{type(error).__name__}: {error}")
        if not isinstance(self.error, OpeningRefusedError):
            self._outage.failure(error=self.error, samples_waiting=len(self._samples))
        self._batch_rows = max(1, rows // 4)
        if rows > 1 and self.error.kind is StorageErrorKind.DISK_FULL:
            # There may be room for fewer samples.
            return
        self._delay = min(MAX_DELAY, 2 * self._delay)
        self.retry_at = self._monotonic() + self._delay

    def _move_predictions(self, samples: Sequence[Sample], times: Sequence[float]) -> None:
        """Change the time of the waiting predictions whose sample is stored at another time."""
        moved = {sample.at: at for sample, at in zip(samples, times, strict=True) if at != sample.at}
        if moved:
            self._predictions.replace_each(lambda waiting: replace(waiting, at=moved.get(waiting.at, waiting.at)))
