"""Rate-limited logging of recurring failures."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from monitor.system.logging import StructuredLogger

REPEAT_SECONDS = 60.0
"""Seconds between two log lines of one failure that comes and goes, and by default of a lasting one."""


class RecurringFailure:
    """Log of a failure that may last: its start, a line per minute or more with the count, and its end.

    A failure that comes and goes within a minute is also logged once per minute. Not thread-safe.
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
        """Create the object without failures.

        Args:
            log: logger of the events.
            failed: event of a failure.
            recovered: event of the first success after a logged failure, at level info.
            level: level of the failure.
            repeat_seconds: time between two lines of a lasting failure.
            monotonic: clock in seconds that never goes back.
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
        """Count a failure, and log it with the fields unless one was logged shortly before."""
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
        """Log the recovery with the fields, if a failure was logged since the last recovery."""
        self._failing = False
        if self._recovery_pending:
            self._log.info(self._recovered, None, **fields, failures=self._failures)
            self._failures = 0
            self._recovery_pending = False
