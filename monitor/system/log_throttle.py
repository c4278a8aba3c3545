"""Rate-limited logging of recurring failures."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from monitor.system.logging import StructuredLogger

REPEAT_SECONDS = 60.0
"""Seconds between two log lines of a failure that continues."""


class RecurringFailure:
    """Logger of a recurring failure: its start, then at most one line per minute with the count, and its end.

    A failure that comes and goes within a minute is also logged once per minute. Not thread-safe.
    """

    def __init__(
        self,
        log: StructuredLogger,
        failed: str,
        recovered: str,
        *,
        level: int = logging.ERROR,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create the object without failures.

        Args:
            log: logger of the events.
            failed: event of a failure.
            recovered: event of the first success after a logged failure, at level info.
            level: level of the failure.
            monotonic: clock in seconds that never goes back.
        """
        self._log = log
        self._failed = failed
        self._recovered = recovered
        self._level = level
        self._monotonic = monotonic
        self._logged_at: float | None = None
        self._failures = 0
        self._recovery_pending = False

    def failure(self, exc_info: BaseException | None = None, **fields: object) -> None:
        """Count a failure, and log it with the fields unless one was logged less than a minute ago."""
        self._failures += 1
        now = self._monotonic()
        if self._logged_at is not None and now - self._logged_at < REPEAT_SECONDS:
            return
        self._logged_at = now
        self._recovery_pending = True
        self._log.log(self._level, self._failed, exc_info=exc_info, **fields, failures=self._failures)

    def success(self, **fields: object) -> None:
        """Log the recovery with the fields, if a failure was logged since the last recovery."""
        if self._recovery_pending:
            self._log.info(self._recovered, None, **fields, failures=self._failures)
            self._failures = 0
            self._recovery_pending = False
