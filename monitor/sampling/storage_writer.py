"""Storage writer: thread that stores samples and predictions, so that sampling never waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from monitor.sampling.write_buffer import WriteBuffer
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger

log = get_logger(__name__)

PREPARATION_SECONDS = 0.5
"""Time in seconds before a sample at which `before_sample` is called; at most a quarter of the sampling interval."""


class StorageWriter:
    """Thread that stores the content of a write buffer after each sampling cycle, and tries again after a failure."""

    def __init__(
        self, buffer: WriteBuffer, interval: float, before_sample: Callable[[float], None] = lambda _: None
    ) -> None:
        """Initialize the writer; `start` starts its thread.

        Args:
            buffer: buffer to store.
            interval: seconds between two samples.
            before_sample: called in the thread of the writer shortly before a sample is due, once all waiting samples
                are stored, with the time of the newest one in seconds since the epoch. It may use the database.
        """
        self._buffer = buffer
        self.use(interval, before_sample)
        self._newest_at: float | None = None
        self._woken_at = 0.0
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="storage-writer", daemon=True)
        self._preparation = RecurringFailure(log, "sample preparation failed", "sample preparation recovered")

    def use(self, interval: float, before_sample: Callable[[float], None]) -> None:
        """Call another function, at another interval, from the next sample on. Safe to call from any thread."""
        self._before_sample = before_sample
        self._idle_seconds = interval - min(PREPARATION_SECONDS, interval / 4)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Let the thread store what is waiting; call it once at the end of each sampling cycle."""
        self._wake.set()

    def close(self, patience: float) -> bool:
        """Store what is waiting in one attempt and stop the thread; return False if the thread still runs.

        Args:
            patience: longest time to wait for the thread, in seconds.
        """
        self._closing = True
        self._wake.set()
        self._thread.join(patience)
        return not self._thread.is_alive()

    def store(self) -> None:
        """Store what is waiting."""
        newest_at = self._buffer.write()
        if newest_at is not None:
            self._newest_at = newest_at

    def prepare(self) -> None:
        """Call `before_sample` if samples have been stored since its last call."""
        newest_at = self._newest_at
        self._newest_at = None
        if newest_at is None:
            return
        try:
            self._before_sample(newest_at)
        except Exception as error:
            self._preparation.failure(exc_info=error)
        else:
            self._preparation.success()

    def _run(self) -> None:
        while not self._closing:
            if self._wake.wait(self._timeout()):
                self._wake.clear()
                self._woken_at = time.monotonic()
                self.store()
            elif self._buffer.error is None:
                self.prepare()
            else:
                self.store()
        self._buffer.retry_at = 0.0
        self._buffer.write(all_predictions=True)

    def _timeout(self) -> float | None:
        """Return the seconds until the next attempt or the next preparation; None to wait for a sample."""
        if self._buffer.error is not None:
            due = self._buffer.retry_at
        elif self._newest_at is not None:
            due = self._woken_at + self._idle_seconds
        else:
            return None
        return max(0.0, due - time.monotonic())
