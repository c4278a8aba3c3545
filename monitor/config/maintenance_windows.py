"""Recurring maintenance windows: representation, parser and formatter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from model.units import DAY, HOUR, MINUTE
from monitor.config.options import abbreviate

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DAILY = "daily"
"""Value of `day` for a window that recurs every day."""

PATTERN = re.compile(
    rf"({DAILY}|{'|'.join(WEEKDAYS)}) ([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", re.IGNORECASE
)

EPOCH_WEEKDAY = WEEKDAYS.index("thu")
"""Weekday of 1 January 1970."""


@dataclass(frozen=True)
class RecurringWindow:
    """Maintenance window that recurs every day or every week, in UTC.

    Attributes:
        day: weekday on which the window starts (one of WEEKDAYS), or DAILY.
        start: seconds since midnight.
        end: seconds since midnight, exclusive; on the next day if it is before `start`.
    """

    day: str
    start: float
    end: float

    def contains(self, at: float) -> bool:
        """Return True if `at` (seconds since the epoch) lies within the window."""
        time_of_day = at % DAY
        if self.start < self.end:
            return self.start <= time_of_day < self.end and self._starts_on(at)
        if time_of_day >= self.start:
            return self._starts_on(at)
        return time_of_day < self.end and self._starts_on(at - DAY)

    def _starts_on(self, at: float) -> bool:
        """Return True if the window starts on the UTC day of `at` (seconds since the epoch)."""
        weekday = WEEKDAYS[(int(at // DAY) + EPOCH_WEEKDAY) % len(WEEKDAYS)]
        return self.day in {DAILY, weekday}


def parse_windows(value: object) -> tuple[RecurringWindow, ...]:
    """Parse a list of windows such as `["daily 03:00-03:30", "sun 02:00-04:00"]`.

    Raises:
        ValueError: the value is not a list of strings, or an entry is invalid; the message names the entry.
    """
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ValueError('must be a list of strings such as "sun 02:00-04:00"')
    return tuple(_parse_window(entry) for entry in value)


def _parse_window(text: str) -> RecurringWindow:
    match = PATTERN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'{abbreviate(text)} is not a window such as "daily 03:00-03:30" or "sun 02:00-04:00" (UTC)')
    day, *numbers = match.groups()
    start_hour, start_minute, end_hour, end_minute = (int(number) for number in numbers)
    start = start_hour * HOUR + start_minute * MINUTE
    end = end_hour * HOUR + end_minute * MINUTE
    if end > DAY:
        raise ValueError(f"{abbreviate(text)} ends after 24:00")
    if start == end:
        raise ValueError(f"{abbreviate(text)} is empty: it ends when it starts")
    return RecurringWindow(day.lower(), start, end)


def format_windows(windows: Iterable[RecurringWindow]) -> str:
    """Return windows as a TOML list of strings; the inverse of `parse_windows`."""
    return json.dumps([window_text(window) for window in windows])


def window_text(window: RecurringWindow) -> str:
    """Return a window such as `daily 03:00-03:30`."""
    return f"{window.day} {_format_time(window.start)}-{_format_time(window.end)}"


def _format_time(seconds: float) -> str:
    """Return seconds since midnight as HH:MM."""
    return f"{int(seconds // HOUR):02d}:{int(seconds % HOUR // MINUTE):02d}"
