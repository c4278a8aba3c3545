"""What moved a probability, in words that a person reads."""

from __future__ import annotations

import math

from model.array_types import Floats
from model.features.features import FeatureSpec
from model.features.time_buckets import DAYS
from model.forecast.predictor import LEVEL
from monitor.sampling.sources import RATIO_FIELDS
from monitor.system.formatting import approximate_duration

NAMES = {
    "cpu_usage": "CPU",
    "cpu_iowait": "waiting for disks",
    "cpu_steal": "CPU stolen by the hypervisor",
    "load_per_cpu": "load average per CPU",
    "memory_usage": "memory",
    "swap_usage": "swap",
    "network_receive": "network received",
    "network_transmit": "network sent",
    "network_errors": "network errors",
    "network_usage": "network use",
    "disk_read": "disk reads",
    "disk_write": "disk writes",
    "disk_busy": "disk use",
    "pressure_cpu": "CPU pressure",
    "pressure_memory": "memory pressure",
    "pressure_io": "I/O pressure",
}
"""How a person calls a metric."""

STEADY = 0.02
"""A move of a ratio, or of a logarithm, that is not worth a word."""


def phrase(spec: FeatureSpec, x: Floats, group: str, horizon: float) -> str:
    """What one group of features says at a moment.

    Args:
        spec: of the features.
        x: (features,) of the moment.
        group: a metric, "load_index", "yesterday", "past_days" or LEVEL.
        horizon: seconds ahead that is spoken of.
    """
    if group == LEVEL:
        return f"an ordinary moment {'of high' if _value(spec, x, 'load_index:state') == 1 else 'of calm'}"
    if group == "load_index":
        return _load(spec, x)
    if group == "yesterday":
        return _yesterday(spec, x, horizon)
    if group == "past_days":
        return _past_days(spec, x, horizon)
    return _metric(spec, x, group)


def _value(spec: FeatureSpec, x: Floats, name: str) -> float:
    place = spec.place.get(name)
    return math.nan if place is None else float(x[place])


def _load(spec: FeatureSpec, x: Floats) -> str:
    index = _value(spec, x, "load_index:last")
    if _value(spec, x, "load_index:state") == 1:
        return "load is high now"
    if math.isnan(index):
        return "the present load is not known"
    short, longer = (
        _value(spec, x, f"load_index:mean:{window:g}s") for window in (spec.windows[0], spec.windows[-2])
    )
    moved = short - longer
    trend = "" if not abs(moved) > 5 * STEADY else ", rising" if moved > 0 else ", falling"
    return f"load is at {index:.0%} of what counts as high{trend}"


def _yesterday(spec: FeatureSpec, x: Floats, horizon: float) -> str:
    high = _value(spec, x, f"yesterday:high:{horizon:g}s")
    if math.isnan(high):
        return "yesterday at this time is not known"
    return f"yesterday at this time it was {'high' if high else 'not high'}"


def _past_days(spec: FeatureSpec, x: Floats, horizon: float) -> str:
    share = _value(spec, x, f"past_days:high:{horizon:g}s")
    if math.isnan(share):
        return "this time of the day is not known yet"
    days = share * DAYS
    if abs(days - round(days)) < 1e-3:
        return f"it was high at this time on {round(days)} of the last {DAYS} days"
    return f"it was high at this time on {share:.0%} of the last days"


def _metric(spec: FeatureSpec, x: Floats, metric: str) -> str:
    name = NAMES.get(metric, metric)
    now = _value(spec, x, f"{metric}:last")
    if math.isnan(now):
        return f"{name} is not known"
    level = f"{name} is at {now:.0%}" if metric in RATIO_FIELDS else name
    moves = [(_value(spec, x, f"{metric}:departure:{window:g}s"), window) for window in spec.windows]
    moved, window = max(moves, key=lambda move: -1 if math.isnan(move[0]) else abs(move[0]))
    if math.isnan(moved) or abs(moved) < STEADY:
        return f"{level} is steady" if level == name else f"{level} and steady"
    way = "above" if moved > 0 else "below"
    if metric in spec.logarithmic:
        times = math.exp(abs(moved))
        much = f"{times:.0f}" if times >= 10 else f"{times:.1f}"
        much = "more than 100" if times > 100 else much
        return f"{name} is {much} times {'over' if moved > 0 else 'under'} its mean of {approximate_duration(window)}"
    if metric in RATIO_FIELDS:
        return f"{level}, {abs(moved) * 100:.0f} points {way} its mean of {approximate_duration(window)}"
    return f"{name} is {way} its mean of {approximate_duration(window)} by {abs(moved):.2g}"
