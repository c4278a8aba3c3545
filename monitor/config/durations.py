"""Duration and time parsers: seconds from texts such as "1h30m" or "2026-03-01T12:00"."""

from __future__ import annotations

import re

from monitor.system.formatting import UNITS

MAX_DURATION = 36525 * 86400.0
"""Longest duration that a command or the configuration accepts, in seconds: 100 years."""

MAX_SHOWN = 60
"""Largest number of characters of an invalid text that the error message quotes."""

_NOTATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+", re.ASCII)


def parse_duration(text: str) -> float:
    """Return the length in seconds of a duration such as "1h30m".

    Raises:
        ValueError: the text is not a sequence of numbers, each followed by a unit (s, m, h or d).
    """
    if not _NOTATION.fullmatch(text):
        raise ValueError(f'{text[:MAX_SHOWN]!r} is not a duration such as "15s", "5m", "1h30m" or "30d"')
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+)([smhd])", text))


def parse_time(text: str, now: float) -> float | None:
    """Parse a time; return seconds since the epoch, or None for invalid text.

    Args:
        text: number of seconds, ISO 8601 date or datetime (UTC if naive), `now`, or a duration after `-` or `+`.
        now: reference of relative times, in seconds since the epoch.
    """
    from datetime import UTC, datetime  # noqa: PLC0415 - not needed at the start of every command

    if text == "now":
        return now
    try:
        return float(text)
    except ValueError:
        pass
    try:
        if text.startswith(("-", "+")):
            offset = parse_duration(text[1:])
            return now - offset if text.startswith("-") else now + offset
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
