"""Signal handling of the daemon: stop and reload requests."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class SignalRequests:
    """Pending requests to stop the process or to reload the configuration; each request sets `wake`."""

    def __init__(self) -> None:
        self.wake = threading.Event()
        self.stop = False
        self.reload = False

    def request_stop(self, signum: int = 0, frame: FrameType | None = None) -> None:  # noqa: ARG002
        """Request a stop; handler of SIGTERM and SIGINT."""
        self.stop = True
        self.wake.set()

    def request_reload(self, signum: int = 0, frame: FrameType | None = None) -> None:  # noqa: ARG002
        """Request a reload; handler of SIGHUP."""
        self.reload = True
        self.wake.set()


@contextmanager
def handled_signals() -> Iterator[SignalRequests]:
    """Convert signals to requests during a `with` block, and restore the previous handlers afterwards."""
    requests = SignalRequests()
    handlers = {
        signal.SIGTERM: requests.request_stop,
        signal.SIGINT: requests.request_stop,
        signal.SIGHUP: requests.request_reload,
    }
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield requests
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
