"""Value bounds: rounding tolerance and rejection of values outside the bounds of a metric."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from monitor.sampling.metric_catalog import METRIC_BY_FIELD

TOLERANCE = 0.001
"""Rounding error by which a value may exceed its bounds, in the unit of the metric.

For ratios it is a tenth of a percentage point: tools that print one decimal may print 100.1 %.
"""


def validated_value(field: str, value: float | None) -> float | None:
    """Clip a value that exceeds the bounds of its metric by at most TOLERANCE; return None for an invalid value.

    The sampler and the trace reader share this function, so that live and imported values have the same bounds.

    Args:
        field: field of a sample.
        value: value in the unit of the metric; None if it is missing.

    Returns:
        The value within its bounds; None if it is missing, not finite, or further than TOLERANCE outside them.
    """
    if value is None or not math.isfinite(value):
        return None
    metric = METRIC_BY_FIELD[field]
    if not metric.lower_bound - TOLERANCE <= value <= metric.upper_bound + TOLERANCE:
        return None
    # The sum turns -0.0 into 0.0.
    return min(max(metric.lower_bound, value), metric.upper_bound) + 0.0


def validated_values(fields: Sequence[str], values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Apply `validated_value` to each value of an array (rows, fields); an invalid value becomes NaN."""
    lower = np.array([METRIC_BY_FIELD[field].lower_bound for field in fields])
    upper = np.array([METRIC_BY_FIELD[field].upper_bound for field in fields])
    is_valid = np.isfinite(values) & (values >= lower - TOLERANCE) & (values <= upper + TOLERANCE)
    return np.where(is_valid, np.clip(values, lower, upper) + 0.0, np.nan)
