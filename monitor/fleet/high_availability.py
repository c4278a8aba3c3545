"""High availability: one active process of several, the others on standby."""

from __future__ import annotations

from collections.abc import Callable

from monitor.config.loader import Config
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

    def wait(self, pause: Callable[[float], bool]) -> bool:
        """Wait on standby until this process is active; return False if `pause` ends the wait before.

        No exception propagates: a server that is away is asked again.

        Args:
            pause: called between two attempts with the seconds to wait; returns True to end the wait.
        """
        while not self._attempt():
            if pause(self._poll_seconds):
                return False
        self._was_active = True
        log.info("process active", lease=self.lease.name)
        return True

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


def active_process(config: Config) -> ActiveProcess | None:
    """Return the process of a highly available fleet, which does not act yet; None without `fleet.high_availability`.

    Raises:
        StorageError: the database is not on a PostgreSQL server.
    """
    if not config.fleet.high_availability:
        return None
    return ActiveProcess(Lease(config.database_url, f"fleet/{config.fleet.shard}"))
