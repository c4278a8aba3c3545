"""Parameters of what-if requests: precision, bounds of the rules and length of the history."""

from __future__ import annotations

import math
import re

from model.units import DAY, HOUR
from monitor.config.durations import parse_duration
from monitor.queries.what_if.reader import MAX_RANGE, WhatIfChange
from monitor.sampling.metric_catalog import RATIO_FIELDS
from monitor.system.formatting import approximate_duration
from monitor.web.api.parameters import MAX_ECHO, ApiError, Query

DEFAULT_RANGE = 7 * DAY

MAX_NUMBER_LENGTH = 30
"""Largest number of characters of a number in a query."""

BOUND = re.compile(r"bound_([1-9][0-9]?)_([a-z_]{1,40})")
"""Name of the parameter for the bound of a metric in a rule, which are counted from 1."""

NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?(e[+-]?[0-9]{1,2})?", re.IGNORECASE | re.ASCII)


def what_if_change(query: Query) -> WhatIfChange:
    """Return the changed setting of a query.

    Raises:
        ApiError: a parameter is unknown, or its value invalid.
    """
    bounds = {}
    for name, text in query.items():
        match = BOUND.fullmatch(name)
        if match is not None:
            bounds[int(match[1]) - 1, match[2]] = _bound(name, match[2], text)
        elif name not in ("range", "precision"):
            raise ApiError(400, f"what-if takes no parameter {name[:MAX_ECHO]}")
    precision = None
    if "precision" in query:
        precision = _number("precision", query["precision"])
        if not 0 < precision < 1:
            raise ApiError(400, "precision is above 0 and below 1")
    return WhatIfChange(_range(query), precision, bounds)


def _range(query: Query) -> float:
    text = query.get("range")
    if text is None:
        return DEFAULT_RANGE
    try:
        seconds = parse_duration(text[:MAX_ECHO])
    except ValueError:
        seconds = 0.0
    if not HOUR <= seconds <= MAX_RANGE:
        bounds = f"{approximate_duration(HOUR)} to {approximate_duration(MAX_RANGE)}"
        raise ApiError(400, f"range={text[:MAX_ECHO]}: range is from {bounds}")
    return seconds


def _bound(name: str, metric: str, text: str) -> float:
    bound = _number(name, text)
    if bound <= 0 or (metric in RATIO_FIELDS and bound > 1):
        raise ApiError(400, f"{name}: a bound is above 0, and a ratio at most 1")
    return bound


def _number(name: str, text: str) -> float:
    # The function `float` also accepts underscores, spaces, "nan" and the digits of other scripts.
    number = float(text) if len(text) <= MAX_NUMBER_LENGTH and NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise ApiError(400, f"{name}={text[:MAX_ECHO]}: not a number")
    return number
