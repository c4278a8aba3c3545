"""Reloader: runs reloads of the configuration in a thread, one at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from monitor.daemon.job_meter import thread_stack
from monitor.system.logging import get_logger

log = get_logger(__name__)

DEADLINE = 60.0
"""Duration in seconds above which a reload is hung."""


class Reloader:
    """Runs a function in a thread for each request; requests during a run are merged into one further run.

    The main thread therefore never waits for a file system that does not respond, and can stop the process.
    """

    def __init__(self, reload: Callable[[], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        """Initialize the reloader.

        Args:
            reload: function to run; it handles its own exceptions.
            monotonic: monotonic clock; returns seconds.
        """
        self._reload = reload
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._requested = False
        self._thread: threading.Thread | None = None
        self._started = 0.0
        self._reported = False

    def request(self) -> None:
        """Start a run, or let the run in progress be followed by another one.

        If the process has no resources for a thread, the next call tries again.
        """
        with self._lock:
            self._requested = True
            if self._thread is not None:
                return
            self._begin()
            self._thread = threading.Thread(target=self._run, name="reload", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:
                self._thread = None
                log.error("configuration reload not started", error=error)

    def check(self) -> None:
        """Log a run that exceeds the deadline, once; call this every few seconds."""
        thread = self._thread
        if thread is None or self._reported or self._monotonic() - self._started < DEADLINE:
            return
        self._reported = True
        log.error("configuration reload hung", stack=thread_stack(thread.ident or 0))

    def wait(self, patience: float) -> bool:
        """Wait at most `patience` seconds for the run in progress; return False if it continues."""
        thread = self._thread
        if thread is not None:
            thread.join(patience)
        return thread is None or not thread.is_alive()

    def _run(self) -> None:
        while self._take_request():
            self._reload()

    def _take_request(self) -> bool:
        """Return True if a run is requested, and forget the request; else end the thread."""
        with self._lock:
            if not self._requested:
                self._thread = None
                return False
            self._requested = False
            self._begin()
            return True

    def _begin(self) -> None:
        """Start the deadline of a run."""
        self._started = self._monotonic()
        self._reported = False
