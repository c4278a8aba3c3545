"""Presets: metrics of common exporters mapped to the sample fields by PromQL."""

from __future__ import annotations

from collections.abc import Callable

from monitor.fleet.source.presets.node_exporter import node_exporter
from monitor.fleet.source.presets.own_exporter import own_exporter
from monitor.fleet.source.presets.promql import HostQueries
from monitor.fleet.source.presets.telegraf import telegraf
from monitor.fleet.source.presets.windows_exporter import windows_exporter

Expressions = dict[str, str]
"""PromQL expression by sample field; each yields one series per host, with the host label only."""


def _none(_: HostQueries) -> Expressions:
    return {}


PRESETS: dict[str, Callable[[HostQueries], Expressions]] = {
    "node_exporter": node_exporter,
    "windows_exporter": windows_exporter,
    "telegraf": telegraf,
    "monitor": own_exporter,
    "none": _none,
}
"""Function that returns the expressions of a preset, by its name in `source.preset`."""

ANCHORS: dict[str, str] = {
    "node_exporter": "node_load1",
    "windows_exporter": "windows_exporter_build_info",
    "telegraf": "system_load1",
    "monitor": "monitor_build_info",
}
"""Metric with one series per scrape target, by the name of the preset."""
