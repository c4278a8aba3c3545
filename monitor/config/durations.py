"""Durations as written in the configuration: "15s", "5m", "1h30m", "30d"."""

from __future__ import annotations

import re

from monitor.system.formatting import UNITS

LONGEST = 36525 * 86400.0
"""Seconds of a hundred years: the longest duration that is accepted."""

_WRITTEN = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+", re.ASCII)


def parse_duration(text: str) -> float:
    """Return a written duration in seconds.

    Raises:
        ValueError: the text is not a duration.
    """
    if not _WRITTEN.fullmatch(text):
        raise ValueError(f'{text!r} is not a duration such as "15s", "5m", "1h30m" or "30d"')
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+)([smhd])", text))
