"""Metric families by their names after `monitor_`."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric


def gauge(name: str, text: str, value: float) -> Metric:
    """A figure that may rise and fall."""
    return GaugeMetricFamily(f"monitor_{name}", text, value=float(value))


def counter(name: str, text: str, value: float) -> Metric:
    """A number that only grows."""
    return CounterMetricFamily(f"monitor_{name}", text, value=value)


def labelled(
    name: str, text: str, labels: list[str], values: Sequence[tuple[tuple[str, ...], float | None]]
) -> Metric:
    """One figure for each value of its labels; None has none."""
    family = GaugeMetricFamily(f"monitor_{name}", text, labels=labels)
    for named, value in values:
        if value is not None:
            family.add_metric(named, float(value))
    return family
