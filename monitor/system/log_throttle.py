"""Log throttle: rate-limited logging of recurring failures."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from monitor.system.logging import StructuredLogger

REPEAT_SECONDS = 60.0
"""Shortest time in seconds between two log lines of an intermittent failure; also the default of `repeat_seconds`."""


class RecurringFailure:
    """Rate-limited log of one recurring failure: start, reminders with the number of failures, and recovery.

    A lasting failure is logged once per `repeat_seconds`. A failure that alternates with successes is logged at most
    once per REPEAT_SECONDS. Not thread-safe.
    """

    def __init__(
        self,
        log: StructuredLogger,
        failed: str,
        recovered: str,
        *,
        level: int = logging.ERROR,
        repeat_seconds: float = REPEAT_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Initialize without failures; the first failure is logged at once.

        Args:
            log: logger of the events.
            failed: event logged for a failure.
            recovered: event logged for the first success after a logged failure, at level info.
            level: level of the event `failed`.
            repeat_seconds: shortest time in seconds between two log lines of a lasting failure.
            monotonic: monotonic clock; returns seconds.
        """
        self._log = log
        self._failed = failed
        self._recovered = recovered
        self._level = level
        self._repeat_seconds = repeat_seconds
        self._monotonic = monotonic
        self._logged_at: float | None = None
        self._failures = 0
        self._failing = False
        self._recovery_pending = False

    def failure(self, exc_info: BaseException | None = None, **fields: object) -> None:
        """Count a failure, and log it with the fields unless the rate limit suppresses it."""
        self._failures += 1
        quiet_seconds = self._repeat_seconds if self._failing else REPEAT_SECONDS
        self._failing = True
        now = self._monotonic()
        if self._logged_at is not None and now - self._logged_at < quiet_seconds:
            return
        self._logged_at = now
        self._recovery_pending = True
        self._log.log(self._level, self._failed, exc_info=exc_info, **fields, failures=self._failures)

    def success(self, **fields: object) -> None:
        """Log a recovery with the fields if a failure was logged since the last recovery."""
        self._failing = False
        if self._recovery_pending:
            self._log.info(self._recovered, None, **fields, failures=self._failures)
            self._failures = 0
            self._recovery_pending = False


@contextmanager
def log_and_pause(failure: RecurringFailure, seconds: float) -> Iterator[None]:
    """Log an exception of a `with` block as a recurring failure instead of raising it, and sleep for `seconds`."""
    try:
        yield
    except Exception as error:
        failure.failure(exc_info=error)
        time.sleep(seconds)
