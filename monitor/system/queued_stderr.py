"""Queued stderr: a thread writes the lines, so that a full pipe blocks nobody."""

from __future__ import annotations

import io
import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

CAPACITY_BYTES = 2**20
"""Largest size of the waiting text; text beyond it is dropped."""

CLOSE_PATIENCE = 0.5
"""Seconds that the end of the process waits for the waiting text to be written."""


class QueuedStderr(io.TextIOBase):
    """Text stream whose writes never block: a thread, started at the first write, passes the text to a descriptor.

    Attributes:
        dropped: number of writes that were lost: beyond CAPACITY_BYTES, or to a descriptor that fails.
    """

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, descriptor: int, capacity: int = CAPACITY_BYTES) -> None:
        """Initialize the stream.

        Args:
            descriptor: file descriptor that the text is written to; it stays open.
            capacity: largest size in bytes of the waiting text.
        """
        super().__init__()
        self.dropped = 0
        self._reported = 0
        self._descriptor = descriptor
        self._capacity = capacity
        self._waiting_bytes = 0
        # The lock and the queue are re-entrant: a destructor may log while this thread is in `write`.
        self._lock = threading.RLock()
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def write(self, text: str) -> int:
        """Queue the text, or drop it if too much text is waiting; return its length."""
        data = text.encode(self.encoding, self.errors)
        with self._lock:
            if self._waiting_bytes + len(data) > self._capacity:
                self.dropped += 1
            else:
                self._waiting_bytes += len(data)
                self._queue.put(data)
                self._start_thread()
        return len(text)

    def drain(self, patience: float = CLOSE_PATIENCE) -> bool:
        """Wait at most `patience` seconds until the waiting text is written.

        Returns:
            False if text still waits; from then on, all text is dropped.
        """
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join(patience)
        if self._waiting_bytes:
            self._capacity = 0
        return not self._waiting_bytes

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    def _start_thread(self) -> None:
        """Start the thread unless it runs; if the process has no resources for it, the next write tries again."""
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name="stderr", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self._thread = None

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            failed = False
            try:
                write_all(self._descriptor, data)
            except OSError:
                failed = True
            with self._lock:
                self._waiting_bytes -= len(data)
                self.dropped += failed
            if not failed and self._queue.empty():
                self._report_dropped()

    def _report_dropped(self) -> None:
        """Log the number of lines dropped since the last report."""
        lines = self.dropped - self._reported
        if lines:
            # Imported here, because this module is imported first at the start of the process.
            from monitor.system.logging import get_logger  # noqa: PLC0415

            self._reported = self.dropped
            log = get_logger(__name__)
            log.warning("log lines dropped", lines=lines)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all data to a descriptor, and wait as long as it accepts none.

    Raises:
        OSError: the descriptor fails, for example because the reader of the pipe has closed it.
    """
    remaining = memoryview(data)
    while remaining:
        try:
            remaining = remaining[os.write(descriptor, remaining) :]
        except BlockingIOError:
            # The descriptor may be non-blocking, as it is shared with other processes.
            select.select([], [descriptor], [])


@contextmanager
def queued_stderr() -> Iterator[QueuedStderr]:
    """Replace `sys.stderr` by a queued stream during a `with` block; at its end, wait briefly for the waiting text.

    The stream stays in place afterwards if text is still waiting: whatever else the process writes must not block.
    """
    previous = sys.stderr
    stream = QueuedStderr(2)
    sys.stderr = stream
    try:
        yield stream
    finally:
        if stream.drain():
            sys.stderr = previous


def drain_stderr() -> None:
    """Wait briefly for the waiting text of a queued `sys.stderr`; do nothing for any other stream."""
    if isinstance(sys.stderr, QueuedStderr):
        sys.stderr.drain()


def dropped_log_lines() -> int:
    """Return the number of lines that a queued `sys.stderr` has dropped; 0 for any other stream."""
    return sys.stderr.dropped if isinstance(sys.stderr, QueuedStderr) else 0
