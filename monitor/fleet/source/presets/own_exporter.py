"""Preset monitor: metrics of this project's own exporter, which has computed the fields already."""

from __future__ import annotations

from monitor.fleet.source.presets.promql import HostQueries
from monitor.sampling.metric_catalog import HOST_METRICS


def own_exporter(queries: HostQueries) -> dict[str, str]:
    """Return the expression for each field."""
    return {
        metric.field: queries.by_host(queries.last(f"monitor_{metric.prometheus_name}")) for metric in HOST_METRICS
    }
