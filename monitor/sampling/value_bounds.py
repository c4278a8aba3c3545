"""Value bounds: one rule for values next to and outside the bounds of a metric."""

from __future__ import annotations

import math

from monitor.sampling.metric_catalog import METRIC_BY_FIELD

TOLERANCE = 0.001
"""Rounding by which a value may exceed its bounds, in the unit of the metric.

A tenth of a percentage point: tools that print percentages with one decimal round that far, as in 100.1 %.
"""


def validated_value(field: str, value: float | None) -> float | None:
    """Return a value as it may be stored; None for a missing or impossible one.

    The only place in which values are limited to their bounds: the sampler calls it for live values, the trace reader
    for the cells of files. A value outside the bounds of its metric by at most TOLERANCE becomes the bound. One
    further away, or one that is not finite, becomes missing.

    Args:
        field: field of a sample.
        value: in the unit of the metric; None if it is missing.
    """
    if value is None or not math.isfinite(value):
        return None
    bound = METRIC_BY_FIELD[field].upper_bound
    if not -TOLERANCE <= value <= bound + TOLERANCE:
        return None
    return min(max(0.0, value), bound)
