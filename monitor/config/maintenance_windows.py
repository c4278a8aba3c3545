"""Hours at which nothing is called an anomaly, because somebody said so: each week, or once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from model.units import DAY, HOUR, MINUTE

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAILY = "daily"

_PATTERN = re.compile(
    rf"({DAILY}|{'|'.join(WEEKDAYS)}) ([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", re.IGNORECASE
)

# 1 January 1970 was a Thursday
_FIRST_WEEKDAY = WEEKDAYS.index("thu")


@dataclass(frozen=True)
class RecurringWindow:
    """From `begins` to `ends` (seconds of the day, UTC) on a day of the week, or on every day.

    One that ends before it begins goes on into the next day.
    """

    day: str
    begins: float
    ends: float

    def contains(self, at: float) -> bool:
        """Whether a moment (seconds since the epoch) lies within."""
        time = at % DAY
        if self.begins < self.ends:
            return self.begins <= time < self.ends and self._is_day(at)
        return (time >= self.begins and self._is_day(at)) or (time < self.ends and self._is_day(at - DAY))

    def _is_day(self, at: float) -> bool:
        return self.day == DAILY or WEEKDAYS[(int(at // DAY) + _FIRST_WEEKDAY) % 7] == self.day


def parse_windows(value: Any) -> tuple[RecurringWindow, ...]:
    """The windows of a list of texts.

    Raises:
        ValueError: another form; the message says which.
    """
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ValueError('must be a list of strings as "sun 02:00-04:00"')
    return tuple(_read(entry) for entry in value)


def _read(text: str) -> RecurringWindow:
    found = _PATTERN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'{text!r} is not a window as "daily 03:00-03:30" or "sun 02:00-04:00" (UTC)')
    day, *numbers = found.groups()
    hour, minute, last_hour, last_minute = (int(number) for number in numbers)
    begins, ends = hour * HOUR + minute * MINUTE, last_hour * HOUR + last_minute * MINUTE
    if ends > DAY or begins == ends:
        raise ValueError(f"{text!r} ends after 24:00, or when it begins")
    return RecurringWindow(day.lower(), begins, ends)


def format_windows(windows: Iterable[RecurringWindow]) -> str:
    """The list as TOML."""
    return json.dumps([f"{window.day} {_clock(window.begins)}-{_clock(window.ends)}" for window in windows])


def _clock(seconds: float) -> str:
    return f"{int(seconds // HOUR):02d}:{int(seconds % HOUR // MINUTE):02d}"
