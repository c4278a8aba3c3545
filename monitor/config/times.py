"""Time parser: seconds since the epoch from numbers, dates and relative times."""

from __future__ import annotations

from monitor.config.durations import parse_duration


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
