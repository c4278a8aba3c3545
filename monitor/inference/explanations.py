"""Explanations: phrases that describe the features behind a probability."""

from __future__ import annotations

import math

from model.array_types import Floats
from model.features.feature_spec import FeatureSpec
from model.features.time_buckets import SEASONAL_DAYS
from model.forecast.attribution import LEVEL
from monitor.sampling.metric_catalog import METRIC_BY_FIELD, RATIO_FIELDS
from monitor.system.formatting import approximate_duration, format_percent

MIN_CHANGE = 0.02
"""Smallest reported difference of a metric from a window mean; for a logarithmic metric, of the logarithms."""

MIN_TREND = 5 * MIN_CHANGE
"""Smallest change of the load index that is reported as rising or falling."""

MAX_FACTOR = 100
"""Largest factor that is reported as a number; a larger factor is reported as "more than 100"."""


def explain_group(spec: FeatureSpec, x: Floats, group: str, horizon: float) -> str:
    """Return a phrase that describes the values of one group of features.

    Args:
        spec: specification of the features in `x`.
        x: (features,) feature values of one sample, NaN where unknown.
        group: name of a metric, "load_index", "yesterday", "past_days", or LEVEL for the remainder.
        horizon: horizon of the explained prediction in seconds.
    """
    if group == LEVEL:
        is_high = _value(spec, x, "load_index:state") == 1 or _value(spec, x, "load_index:last") >= 1
        return f"base rate while load is {'high' if is_high else 'calm'}"
    if group == "load_index":
        return _explain_load(spec, x)
    if group == "yesterday":
        return _explain_yesterday(spec, x, horizon)
    if group == "past_days":
        return _explain_past_days(spec, x, horizon)
    return _explain_metric(spec, x, group)


def _value(spec: FeatureSpec, x: Floats, name: str) -> float:
    """Return the value of the feature `name` in `x` (features,); NaN if it is unknown or not in `spec`."""
    column = spec.column_index.get(name)
    return math.nan if column is None else float(x[column])


def _explain_load(spec: FeatureSpec, x: Floats) -> str:
    """Return a phrase on the present load: high, unknown, or a percentage of the high-load bound with the trend."""
    index = _value(spec, x, "load_index:last")
    if _value(spec, x, "load_index:state") == 1:
        return "load is high now"
    if math.isnan(index):
        return "the present load is unknown"
    short_mean = _value(spec, x, f"load_index:mean:{spec.windows[0]:g}s")
    long_mean = _value(spec, x, f"load_index:mean:{spec.windows[-2]:g}s")
    change = short_mean - long_mean
    trend = ""
    if change > MIN_TREND:
        trend = ", rising"
    elif change < -MIN_TREND:
        trend = ", falling"
    return f"load is at {format_percent(index)} of the high-load bound{trend}"


def _explain_yesterday(spec: FeatureSpec, x: Floats, horizon: float) -> str:
    """Return a phrase that states whether load was high yesterday within `horizon` seconds after this time of day."""
    high = _value(spec, x, f"yesterday:high:{horizon:g}s")
    if math.isnan(high):
        return "yesterday's load at this time is unknown"
    return f"load was {'high' if high else 'not high'} at this time yesterday"


def _explain_past_days(spec: FeatureSpec, x: Floats, horizon: float) -> str:
    """Return a phrase on how often load was high within `horizon` seconds after this time of day.

    It states the number of the last SEASONAL_DAYS days with high load, or a percentage if the number is not whole.
    """
    ratio = _value(spec, x, f"past_days:high:{horizon:g}s")
    if math.isnan(ratio):
        return "the load at this time of day is unknown"
    days = ratio * SEASONAL_DAYS
    if abs(days - round(days)) < 1e-3:
        return f"load was high at this time on {round(days)} of the last {SEASONAL_DAYS} days"
    return f"load was high at this time on {format_percent(ratio)} of the last days"


def _explain_metric(spec: FeatureSpec, x: Floats, metric: str) -> str:
    """Return a phrase on the value of a metric and its largest difference from a window mean.

    The phrase has no verb, because some labels are singular, some plural and some participles.
    """
    label = METRIC_BY_FIELD[metric].label
    now = _value(spec, x, f"{metric}:last")
    if math.isnan(now):
        return f"{label} unknown"
    is_ratio = metric in RATIO_FIELDS
    window, departure = _largest_departure(spec, x, metric)
    if abs(departure) < MIN_CHANGE:
        return f"{label} at {format_percent(now)}, steady" if is_ratio else f"{label} steady"
    mean = f"the mean of {approximate_duration(window)}"
    direction = "above" if departure > 0 else "below"
    if metric in spec.logarithmic:
        return f"{label} {_factor(departure)} times {direction} {mean}"
    if is_ratio:
        return f"{label} at {format_percent(now)}, {abs(departure) * 100:.0f} points {direction} {mean}"
    return f"{label} {abs(departure):.2g} {direction} {mean}"


def _largest_departure(spec: FeatureSpec, x: Floats, metric: str) -> tuple[float, float]:
    """Return the window (seconds) whose mean differs most from the newest value of a metric, and the difference.

    The difference is value minus mean, of logarithms for a logarithmic metric. It is 0 if no mean is known.
    """
    largest = spec.windows[0], 0.0
    for window in spec.windows:
        departure = _value(spec, x, f"{metric}:departure:{window:g}s")
        if abs(departure) > abs(largest[1]):
            largest = window, departure
    return largest


def _factor(departure: float) -> str:
    """Format the ratio exp(|departure|) that corresponds to a difference of logarithms, capped at MAX_FACTOR."""
    factor = math.exp(abs(departure))
    if factor > MAX_FACTOR:
        return f"more than {MAX_FACTOR}"
    return f"{factor:.0f}" if factor >= 10 else f"{factor:.1f}"
