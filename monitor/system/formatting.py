"""Text form of numbers, durations and times: for reports, page, messages and labels."""

from __future__ import annotations

from datetime import UTC, datetime

EARLIEST = -62_135_596_800.0
"""First second of the year 1, in seconds since the epoch."""

LATEST = 253_402_300_799.0
"""Last second of the year 9999, in seconds since the epoch."""

ABSENT = "-"
"""Text for a value that does not exist."""

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
"""Seconds for each unit of a duration such as "15m"."""


def format_duration(seconds: float) -> str:
    """Return a duration in the largest unit that divides it, as in config.toml: 300 -> "5m", 5400 -> "90m"."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % UNITS[unit] == 0:
            return f"{seconds / UNITS[unit]:.0f}{unit}"
    return f"{seconds:g}s"


def approximate_duration(seconds: float) -> str:
    """Return a duration in its largest unit, rounded for display: "45 s", "12 min", "3.5 d"."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            count = seconds / size
            rounded = float(f"{count:.2g}") if count < 10 else round(count)
            return f"{rounded:g} {unit}"
    return f"{seconds:.0f} s"


def format_count(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun, in the plural (default: with an s) unless the count is 1."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def format_number(value: float | None, digits: int = 3) -> str:
    """Return a number with `digits` decimals; ABSENT for None."""
    return ABSENT if value is None else f"{value:.{digits}f}"


def format_percent(ratio: float | None) -> str:
    """Return a ratio as a whole percentage; "<1%" between 0 and 0.01, ">99%" between 0.99 and 1; ABSENT for None."""
    if ratio is None:
        return ABSENT
    if 0 < ratio < 0.01:
        return "<1%"
    if 0.99 < ratio < 1:
        return ">99%"
    return f"{ratio:.0%}"


def format_scientific(value: float | None, digits: int = 2) -> str:
    """Return a number in scientific notation with `digits` decimals; ABSENT for None."""
    return ABSENT if value is None else f"{value:.{digits}e}"


def format_bytes(size: float | None, digits: int = 1) -> str:
    """Return a size (bytes) in MiB, or in GiB from 1 GiB on; ABSENT for None."""
    if size is None:
        return ABSENT
    return f"{size / 2**30:.{digits}f} GiB" if size >= 2**30 else f"{size / 2**20:.{digits}f} MiB"


def format_quantity(value: float | None, unit: str) -> str:
    """Return the value of a host metric with its unit.

    Args:
        value: value in the base unit; None if it is missing.
        unit: "ratio", "per_cpu", "bytes_per_second" or "per_second".
    """
    if value is None:
        return ABSENT
    if unit == "ratio":
        return f"{value:.1%}"
    if unit == "per_cpu":
        return f"{value:.2f}"
    if unit == "bytes_per_second":
        return f"{_with_si_prefix(value)}B/s"
    return f"{value:.3g}/s"


def _with_si_prefix(value: float) -> str:
    for prefix, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {prefix}"
    return f"{value:.3g} "


def format_time(at: float | None) -> str:
    """Return a time (seconds since the epoch) in UTC, or "never" for None.

    A time outside the years 1 to 9999 gives "before 0001-01-01" or "after 9999-12-31".
    """
    if at is None:
        return "never"
    if at < EARLIEST:
        return "before 0001-01-01"
    if at > LATEST:
        return "after 9999-12-31"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def format_clock(at: float) -> str:
    """Return the time of day of a time (seconds since the epoch) in UTC, such as "20:42"; see `format_time`."""
    text = format_time(at)
    return text[11:16] if text.endswith(" UTC") else text


def format_since(at: float, now: float) -> str:
    """Return a time and its age, such as "20:42 UTC (5 min)"; the date is added unless `now` has the same date.

    Args:
        at: seconds since the epoch.
        now: current time in seconds since the epoch.
    """
    text = format_time(at)
    today = format_time(now).partition(" ")[0]
    minutes = f"{text.removeprefix(today).strip()[:-7]} UTC" if text.endswith(" UTC") else text
    return f"{minutes} ({approximate_duration(max(0.0, now - at))})"


def iso_time(at: float) -> str | None:
    """Return a time (seconds since the epoch) in ISO 8601; None for a time outside the years 1 to 9999."""
    if not EARLIEST <= at <= LATEST:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
