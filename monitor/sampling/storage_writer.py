"""Storage writer: thread that stores samples and predictions, so that sampling never waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from monitor.sampling.write_buffer import WriteBuffer
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger
from storage import StorageError
from storage.recovery.events import OpeningRefusedError

log = get_logger(__name__)

PREPARATION_SECONDS = 0.5
"""Time in seconds before a sample at which `before_sample` is called; at most a quarter of the sampling interval."""


def idle_seconds(interval: float) -> float:
    """Return the seconds between a sample and the preparation of the next one, for a sampling interval in seconds."""
    return interval - min(PREPARATION_SECONDS, interval / 4)


class StorageWriter:
    """Thread that stores the content of a write buffer after each sampling cycle, and tries again after a failure."""

    def __init__(
        self, buffer: WriteBuffer, interval: float, before_sample: Callable[[], None] = lambda: None
    ) -> None:
        """Initialize the writer; `start` starts its thread.

        Args:
            buffer: buffer to store.
            interval: seconds between two samples.
            before_sample: called in the thread of the writer at its start, and shortly before each sample that needs
                it (see `wake`). It may use the database.
        """
        self._buffer = buffer
        self._before_sample = before_sample
        self._idle_seconds = idle_seconds(interval)
        self._prepare_at: float | None = None
        self._started = threading.Event()
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="storage-writer", daemon=True)
        self._preparation = RecurringFailure(log, "sample preparation failed", "sample preparation recovered")

    def use(self, interval: float, before_sample: Callable[[], None]) -> None:
        """Call another function, at once and before the samples of another interval. Safe to call from any thread."""
        self._before_sample = before_sample
        self._idle_seconds = idle_seconds(interval)
        self._prepare_at = time.monotonic()
        self._wake.set()

    def start(self) -> None:
        """Start the thread, which opens the database first."""
        self._thread.start()

    @property
    def refusal(self) -> StorageError | None:
        """Error that ended the thread, because only a person can remove its cause; None if there is none."""
        error = self._buffer.error
        return error if isinstance(error, OpeningRefusedError) else None

    def wait_started(self, patience: float) -> None:
        """Wait up to `patience` seconds until the thread has opened the database or failed to."""
        self._started.wait(patience)

    def wake(self, prepare: bool) -> None:
        """Let the thread store what is waiting; call it once at the end of each sampling cycle.

        Args:
            prepare: True to call `before_sample` before the next sample.
        """
        if prepare:
            self._prepare_at = time.monotonic() + self._idle_seconds
        self._wake.set()

    def close(self, patience: float) -> bool:
        """Store what is waiting in one attempt and stop the thread; return False if the thread still runs.

        Args:
            patience: longest time to wait for the thread, in seconds.
        """
        self._closing = True
        self._wake.set()
        if self._thread.ident is None:
            return True
        self._thread.join(patience)
        return not self._thread.is_alive()

    def prepare(self) -> None:
        """Call `before_sample`; no exception propagates."""
        try:
            self._before_sample()
        except Exception as error:
            self._preparation.failure(exc_info=error)
        else:
            self._preparation.success()

    def _run(self) -> None:
        self._buffer.probe()
        if self.refusal is None:
            self.prepare()
        self._started.set()
        while not self._closing:
            if self.refusal is not None:
                return
            if self._wake.wait(self._timeout()):
                self._wake.clear()
            self._buffer.write()
            if self._prepare_at is not None and time.monotonic() >= self._prepare_at:
                self._prepare_at = None
                self.prepare()
        self._buffer.retry_at = 0.0
        self._buffer.write()

    def _timeout(self) -> float | None:
        """Return the seconds until the next attempt or the next preparation; None to wait for a sample."""
        due = [] if self._prepare_at is None else [self._prepare_at]
        if self._buffer.error is not None:
            due.append(self._buffer.retry_at)
        return max(0.0, min(due) - time.monotonic()) if due else None
