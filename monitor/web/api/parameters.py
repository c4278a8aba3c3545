"""Parameters of API requests: parsing, and the error for an invalid request."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from model.units import HOUR, MINUTE
from monitor.config.durations import parse_duration
from monitor.queries.history import MAX_POINTS, MAX_RANGE
from monitor.system.formatting import approximate_duration

MAX_ECHO = 60
"""Largest number of characters of a query that an error message quotes."""

MAX_ID_DIGITS = 18
"""Number of digits up to which every number is an ID that a database row may have."""

MAX_TIME = 1e11
"""Largest time of a query in seconds since the epoch; it is in the year 5138."""

SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
"""Form of a time in a query."""

DEFAULT_RANGE = 6 * HOUR
DEFAULT_POINTS = 360
MIN_POINTS = 10

Query = Mapping[str, str]


class ApiError(Exception):
    """Raised if a document is not available or the query is invalid; `code` is the HTTP status code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class HistoryPeriod:
    """Period of a history: length in seconds, and end in seconds since the epoch, None for now."""

    seconds: float
    until: float | None = None


def history_period(query: Query) -> HistoryPeriod:
    """Return the requested period: from `from` to `to`, or the last `range`.

    Raises:
        ApiError: a value is invalid, or the parameters exclude each other.
    """
    if "from" not in query and "to" not in query:
        return HistoryPeriod(_range(query))
    if "range" in query or not {"from", "to"} <= query.keys():
        raise ApiError(400, "the period is given by range, or by from and to")
    start = _time("from", query["from"])
    end = _time("to", query["to"])
    if not MINUTE <= end - start <= MAX_RANGE:
        longest = approximate_duration(MAX_RANGE)
        raise ApiError(400, f"to is from {approximate_duration(MINUTE)} to {longest} after from")
    # The last slot contains the end: a slot that starts at `to` is left out.
    return HistoryPeriod(end - start, math.nextafter(end, 0.0))


def _time(name: str, text: str) -> float:
    """Return a parameter in seconds since the epoch.

    Raises:
        ApiError: the value is not a number of seconds from 0 to MAX_TIME.
    """
    # The function `float` also accepts underscores, spaces and the digits of other scripts.
    if not SECONDS.fullmatch(text) or float(text) > MAX_TIME:
        raise ApiError(400, f"{name}={text[:MAX_ECHO]}: {name} is in seconds since the epoch")
    return float(text)


def _range(query: Query) -> float:
    """Return the requested length of the history in seconds; DEFAULT_RANGE if the parameter is missing.

    Raises:
        ApiError: the value is not a duration from a minute to MAX_RANGE.
    """
    text = query.get("range")
    if text is None:
        return DEFAULT_RANGE
    bounds = f"range is from {approximate_duration(MINUTE)} to {approximate_duration(MAX_RANGE)}"
    invalid = ApiError(400, f"range={text[:MAX_ECHO]}: {bounds}")
    try:
        seconds = parse_duration(text[:MAX_ECHO])
    except ValueError as error:
        raise invalid from error
    if not MINUTE <= seconds <= MAX_RANGE:
        raise invalid
    return seconds


def history_points(query: Query) -> int:
    """Return the requested number of time slots; DEFAULT_POINTS if the parameter is missing.

    Raises:
        ApiError: the value is not a whole number from MIN_POINTS to MAX_POINTS.
    """
    text = query.get("points")
    if text is None:
        return DEFAULT_POINTS
    invalid = ApiError(400, f"points={text[:MAX_ECHO]}: points is from {MIN_POINTS} to {MAX_POINTS}")
    # The function `int` also accepts underscores, spaces and the digits of other scripts.
    if not (text.isascii() and text.isdigit()) or len(text) > MAX_ECHO:
        raise invalid
    points = int(text)
    if not MIN_POINTS <= points <= MAX_POINTS:
        raise invalid
    return points


def row_id(text: str) -> int:
    """Return the ID of an anomaly event in a path.

    Raises:
        ApiError: the text is not an ID.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > MAX_ID_DIGITS or not int(text):
        raise ApiError(404, f"{text[:MAX_ECHO]!r} is not the ID of an anomaly event")
    return int(text)
