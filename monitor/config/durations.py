"""Duration parser: seconds from a text such as "15s", "5m", "1h30m" or "30d"."""

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
