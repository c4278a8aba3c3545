"""Signal handling of the daemon: stop and reload requests."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class SignalRequests:
    """Requests from outside the process: stop, and reload of the configuration. `wake` is set with either."""

    def __init__(self) -> None:
        self.wake = threading.Event()
        self.stop = False
        self.reload = False

    def request_stop(self, signum: int = 0, frame: FrameType | None = None) -> None:  # noqa: ARG002
        """Handle SIGTERM and SIGINT."""
        self.stop = True
        self.wake.set()

    def request_reload(self, signum: int = 0, frame: FrameType | None = None) -> None:  # noqa: ARG002
        """Handle SIGHUP."""
        self.reload = True
        self.wake.set()


@contextmanager
def handled_signals() -> Iterator[SignalRequests]:
    """Collect signals as requests instead of ending the process; restore the previous handlers at the end."""
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
