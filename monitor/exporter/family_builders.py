"""Metric families: constructors of Prometheus families with the prefix `monitor_`."""

from __future__ import annotations

import math
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from monitor.system.formatting import format_duration

PREFIX = "monitor_"


def gauge(name: str, description: str, value: float) -> Metric:
    """Return the gauge `monitor_<name>` without labels, and without a value if it is not finite."""
    number = float(value)
    return GaugeMetricFamily(f"{PREFIX}{name}", description, value=number if math.isfinite(number) else None)


def counter(name: str, description: str, value: float) -> Metric:
    """Return the counter `monitor_<name>` without labels; the exposition adds `_total` to the name."""
    return CounterMetricFamily(f"{PREFIX}{name}", description, value=value)


def labelled_gauge(
    name: str, description: str, labels: list[str], values: Iterable[tuple[tuple[str, ...], float | None]]
) -> Metric:
    """Return a gauge with one sample for each (label values, value); None and non-finite values are left out."""
    family = GaugeMetricFamily(f"{PREFIX}{name}", description, labels=labels)
    for label_values, value in values:
        if value is not None and math.isfinite(value):
            family.add_metric(label_values, float(value))
    return family


def labelled_counter(name: str, description: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    """Return a counter with one sample for each (label value, count)."""
    family = CounterMetricFamily(f"{PREFIX}{name}", description, labels=[label])
    for label_value, count in values:
        family.add_metric([label_value], count)
    return family


def horizon_gauge(name: str, description: str, values: Iterable[tuple[float, float | None]]) -> Metric:
    """Return a gauge with the label `horizon`, with one sample for each (horizon in seconds, value)."""
    return labelled_gauge(
        name, description, ["horizon"], [((format_duration(horizon),), value) for horizon, value in values]
    )
