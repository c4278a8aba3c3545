"""Bounds of values: clip rounding errors, drop impossible values."""

from __future__ import annotations

import math

from monitor.sampling.metric_catalog import METRIC_BY_FIELD

ROUNDING_TOLERANCE = 1e-3
"""Distance from its bounds within which a value is a rounding error: 0.1 percentage points of a ratio."""


def bounded_value(field: str, value: float | None) -> float | None:
    """Return a value of a sample that lies within the bounds of its metric, wherever the value comes from.

    Args:
        field: field of a sample.
        value: None for a missing value.

    Returns:
        The value; the nearest bound if it is outside by at most `ROUNDING_TOLERANCE`; None if it is missing, not
        finite or farther outside.
    """
    return None if value is None else clip_rounding(value, METRIC_BY_FIELD[field].upper_bound)


def clip_rounding(value: float, upper_bound: float) -> float | None:
    """Return a value between 0 and `upper_bound`, likewise."""
    if not math.isfinite(value) or not -ROUNDING_TOLERANCE <= value <= upper_bound + ROUNDING_TOLERANCE:
        return None
    return min(max(value, 0.0), upper_bound)
