"""What fails again and again is said once, and then now and then: a log that fills is a second outage."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

AGAIN = 60.0
"""Seconds after which a failure that goes on is said again."""


class Outage:
    """A failure that may last: said when it begins, at most once a minute with its count, and when it is over.

    Where it comes and goes within the minute, that is said once a minute too. For one thread at a time.
    """

    def __init__(
        self,
        log: logging.Logger,
        begins: str,
        ends: str,
        *,
        level: int = logging.ERROR,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """None yet.

        Args:
            log: where it is said.
            begins: the event of a failure.
            ends: the event of the first success after one.
            level: of the failure; its end is information.
            monotonic: seconds that only grow.
        """
        self._log, self._begins, self._ends, self._level = log, begins, ends, level
        self._monotonic = monotonic
        self._told_at: float | None = None
        self._failures = 0
        self._lasts = False

    def failed(self, fields: dict[str, Any], exc_info: BaseException | None = None) -> None:
        """Once more; `fields` belong to the event."""
        self._failures += 1
        now = self._monotonic()
        if self._told_at is not None and now - self._told_at < AGAIN:
            return
        self._told_at, self._lasts = now, True
        fields = {**fields, "failures": self._failures}
        self._log.log(self._level, self._begins, exc_info=exc_info, extra={"fields": fields})

    def worked(self, fields: dict[str, Any] | None = None) -> None:
        """It did not fail; `fields` belong to the event of its end, if there is one."""
        if self._lasts:
            fields = {**(fields or {}), "failures": self._failures}
            self._log.info(self._ends, extra={"fields": fields})
            self._failures, self._lasts = 0, False
