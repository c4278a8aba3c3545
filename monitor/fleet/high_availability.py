"""High availability: one active process of several, the others on standby."""

from __future__ import annotations

import threading

from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger
from storage import StorageError
from storage.postgresql.lease import Lease

log = get_logger(__name__)

POLL_SECONDS = 1.0
"""Seconds between two attempts of a process on standby to become active."""


class ActiveProcess:
    """Process that acts while it holds a lease, which it shares with others on standby.

    Attributes:
        lease: the lease.
    """

    def __init__(self, lease: Lease, poll_seconds: float = POLL_SECONDS) -> None:
        self.lease = lease
        self._poll_seconds = poll_seconds
        self._was_active = False
        self._attempts = RecurringFailure(log, "lease attempt failed", "lease attempt recovered")

    def wait(self, stop: threading.Event) -> bool:
        """Wait on standby until this process is active; return False if `stop` is set before.

        No exception propagates: a server that is away is asked again.
        """
        while not stop.is_set():
            if self._attempt():
                if not self._was_active:
                    log.info("process active", lease=self.lease.name)
                self._was_active = True
                return True
            self.is_active()
            stop.wait(self._poll_seconds)
        return False

    def is_active(self) -> bool:
        """Return True while this process acts: check it before each step and before each effect outside."""
        is_held = self.lease.held()
        if self._was_active and not is_held:
            self._was_active = False
            log.warning("process on standby", lease=self.lease.name)
        return is_held

    def close(self) -> None:
        """Let another process become active at once."""
        self.lease.release()

    def _attempt(self) -> bool:
        try:
            is_acquired = self.lease.acquire()
        except StorageError as error:
            self._attempts.failure(error=error)
            return False
        self._attempts.success()
        return is_acquired
