"""Durations as people write them: "15s", "5m", "1h30m", "30d"."""

from __future__ import annotations

import re

LATEST = 253_402_300_799.0
"""The last second of the year 9999, in seconds since the epoch."""

EARLIEST = -62_135_596_800.0
"""The first second of the year 1, in seconds since the epoch."""

LONGEST = 36525 * 86400.0
"""Seconds of a hundred years: the most that can be typed."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WRITTEN = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+", re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds.

    Raises:
        ValueError: the text is not a duration.
    """
    if not _WRITTEN.fullmatch(text):
        raise ValueError(f'{text!r} is not a duration such as "15s", "5m", "1h30m" or "30d"')
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)([smhd])", text))


def format_duration(seconds: float) -> str:
    """The shortest exact writing in one unit: 300 -> "5m", 5400 -> "90m"."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds:g}s"


def about(seconds: float) -> str:
    """A length of time for a sentence, in the unit that keeps it short: "45 s", "12 min", "2 h", "3.5 d"."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{float(f'{seconds / size:.2g}') if seconds / size < 10 else round(seconds / size):g} {unit}"
    return f"{seconds:.0f} s"
