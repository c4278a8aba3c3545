"""Host series: metrics of each host, as text that is built once per step.

The prefix of each line is kept while the hosts stay the same: a scrape of many hosts only formats numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.exporter.family_builders import PREFIX
from monitor.fleet.process.host_table import HostTable
from monitor.fleet.process.state import FleetState
from monitor.fleet.serving.selection import ranked_rows
from monitor.system.formatting import format_duration

HELP = {
    "high_load_probability": "Calibrated probability, from 0 to 1, that high load occurs, or continues if it is "
    "high, within the horizon.",
    "high_load_baseline_probability": "Base rate from 0 to 1: frequency of high load within the horizon in the "
    "training data.",
    "high_load_warning_threshold": "Probability at which a warning starts.",
    "high_load_warning": "Warning state: 1 while a warning is active, else 0; always 0 during high load.",
    "high_load_active": "High-load state: 1 from the onset until no high-load rule has held for the sustained time, "
    "else 0.",
    "prediction_timestamp_seconds": "Time of the newest predictions, in seconds since the epoch.",
    "fleet_host_model_info": "Model that serves a host: pretrained, pooled or own; always 1.",
}
"""HELP text of each metric with the label `host`; names without prefix."""


@dataclass(frozen=True)
class HostMetric:
    """Values of one metric of the exposed hosts.

    Attributes:
        name: name without prefix.
        labels: labels other than `host`, as name and value; empty for none.
        values: (hosts,) values; NaN is left out.
    """

    name: str
    labels: tuple[tuple[str, str], ...]
    values: Any


def exposed_rows(state: FleetState) -> Any:
    """Return the rows of the hosts with metrics: those with a current prediction, at most `fleet.top_hosts`."""
    table = state.table
    predicted = table.predicted(state.step)
    top = state.config.fleet.top_hosts
    if not top or predicted.sum() <= top:
        return predicted.nonzero()[0]
    ranked = ranked_rows(table, state.step)
    return np.sort(ranked[predicted[ranked]][:top])


def host_metrics(table: HostTable, rows: Any) -> Iterator[HostMetric]:
    """Yield the metrics of some rows of a table; those of one name follow each other."""
    horizons = [(("horizon", format_duration(horizon)),) for horizon in table.horizons]
    for name, array in (
        ("high_load_probability", table.probabilities),
        ("high_load_baseline_probability", table.base_rates),
        ("high_load_warning_threshold", table.thresholds),
        ("high_load_warning", table.warnings),
    ):
        for number, labels in enumerate(horizons):
            yield HostMetric(name, labels, array[rows, number].astype(float))
    yield HostMetric("high_load_active", (), table.high[rows].astype(float))
    yield HostMetric("prediction_timestamp_seconds", (), table.last_seen[rows])
    models = table.models[rows]
    for model in sorted(set(models.tolist())):
        yield HostMetric("fleet_host_model_info", (("model", model),), np.where(models == model, 1.0, np.nan))


class HostSeriesText:
    """Text of the metrics of all hosts; renders each table once. Thread-safe: writers only replace tuples."""

    def __init__(self) -> None:
        self._prefixes: tuple[tuple[str, ...], dict[tuple[str, Any], list[str]]] = ((), {})
        self._rendered: tuple[HostTable | None, int, str] = (None, 0, "")

    def render(self, state: FleetState) -> str:
        """Return the families of the exposed hosts in the Prometheus text format, which OpenMetrics shares."""
        table, top, text = self._rendered
        if table is state.table and top == state.config.fleet.top_hosts:
            return text
        text = self._render(state)
        self._rendered = (state.table, state.config.fleet.top_hosts, text)
        return text

    def _render(self, state: FleetState) -> str:
        table = state.table
        rows = exposed_rows(state)
        if not len(rows):
            return ""
        hosts = tuple(table.hosts[row] for row in rows.tolist())
        kept_hosts, prefixes = self._prefixes
        if kept_hosts != hosts:
            prefixes = {}
        lines: list[str] = []
        previous = ""
        for metric in host_metrics(table, rows):
            if metric.name != previous:
                previous = metric.name
                name = f"{PREFIX}{metric.name}"
                lines.append(f"# HELP {name} {HELP[metric.name]}\n# TYPE {name} gauge\n")
            key = (metric.name, metric.labels)
            if key not in prefixes:
                prefixes[key] = _line_prefixes(metric, hosts)
            lines += _lines(prefixes[key], metric.values)
        self._prefixes = (hosts, prefixes)
        return "".join(lines)


def _line_prefixes(metric: HostMetric, hosts: Sequence[str]) -> list[str]:
    """Return the text of each line up to its value."""
    labels = [f'{name}="{value}",' for name, value in metric.labels]
    # Labels are in alphabetical order.
    before = "".join(label for label in labels if label < "host=")
    after = "".join(f",{label.rstrip(',')}" for label in labels if label > "host=")
    return [f'{PREFIX}{metric.name}{{{before}host="{_escaped(host)}"{after}}} ' for host in hosts]


def _lines(prefixes: Sequence[str], values: Any) -> list[str]:
    """Return one line for each value that is not NaN."""
    return [f"{prefix}{value!r}\n" for prefix, value in zip(prefixes, values.tolist(), strict=True) if value == value]  # noqa: PLR0124 - NaN


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
