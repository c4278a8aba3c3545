"""Prometheus history: rows of one host, period by period, in the memory of one period."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from monitor.errors import MonitorError
from monitor.sampling.history_sources.node_exporter import NodeExporter, series
from monitor.sampling.history_sources.prometheus_api import MAX_POINTS, PrometheusApi, Series, label_text
from monitor.sampling.history_sources.prometheus_host import DEFAULT_INTERVAL, find_host
from monitor.sampling.trace_format.statistics import TraceStatistics
from monitor.sampling.trace_reader import TraceRows
from monitor.sampling.value_bounds import validated_values
from storage import SAMPLE_FIELDS

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

MIN_COVERAGE = 0.75
"""Smallest ratio of the scrapes in a window to their expected number at which a row has values."""

MAX_LISTED = 3
"""Largest number of series that an error lists."""

StoredSamples = Callable[[float, float], Array]
"""Function that returns the stored samples (rows, 1 + SAMPLE_FIELDS) of a period, its start exclusive."""


@dataclass(frozen=True)
class HistoryQuery:
    """Part of the history of a server to read.

    Attributes:
        selector: label matchers of one host, in braces; empty if the server has one host only.
        start: seconds since the epoch.
        end: seconds since the epoch.
        step: seconds between two rows; None for the larger one of the scrape interval and `least_step`.
        least_step: configured sampling interval in seconds.
        expressions: PromQL expressions by field, instead of those for node_exporter.
        network_exclude: shell patterns of network interfaces to exclude.
    """

    selector: str
    start: float
    end: float
    step: int | None = None
    least_step: float = 1.0
    expressions: Mapping[str, str] = field(default_factory=dict)
    network_exclude: Sequence[str] = ()


@dataclass(frozen=True)
class _Period:
    """Period that one query per field covers.

    Attributes:
        start: time of the first row in seconds since the epoch, a multiple of `step`.
        end: time of the last row.
        step: seconds between two rows.
        scrape_interval: seconds between two scrapes.
    """

    start: int
    end: int
    step: int
    scrape_interval: int

    @property
    def times(self) -> Array:
        return np.arange(self.start, self.end + 1, self.step, dtype=np.float64)

    @property
    def window(self) -> int:
        """Return the seconds over which a rate is computed: its scrapes are the limits of one step."""
        return self.step + self.scrape_interval

    @property
    def min_scrapes(self) -> int:
        return max(2, -int(-MIN_COVERAGE * self.window // self.scrape_interval))


class PrometheusHistory:
    """Reader of the history of one host.

    Attributes:
        host: host that the selector matches; None if all fields have an expression of their own and node_exporter
            has no series.
    """

    def __init__(self, api: PrometheusApi, query: HistoryQuery) -> None:
        """Find the host and its metrics.

        Raises:
            MonitorError: the selector matches no host or several, or a query fails.
        """
        self.api = api
        self._query = query
        self.host = find_host(api, query.selector, query.start, query.end, query.network_exclude)
        if not query.expressions and (self.host is None or not len(self.host.scrapes)):
            raise MonitorError(
                f"{api.client.url}: no series of node_exporter match {query.selector or '{}'}: check the selector "
                "and --since, or state expressions with --map"
            )
        fields = self.host.fields if self.host else frozenset()
        self.fields = tuple(name for name in SAMPLE_FIELDS if name in fields or name in query.expressions)
        self._base_step = self._step(query.start, query.end)

    def rows(self, stored: StoredSamples | None = None) -> Iterator[TraceRows]:
        """Yield the rows of each period, in the order of time.

        Args:
            stored: returns stored samples; a field whose values are all stored is not queried again. None to query
                everything.

        Raises:
            MonitorError: a query fails, or an expression yields several series.
        """
        for period in self._periods():
            yield self._rows(period, stored)

    def progress(self, rows: TraceRows) -> float:
        """Return the part of the query up to the end of `rows`, from 0 to 1."""
        last = float(rows.times[-1]) if len(rows.times) else self._query.start
        return (last - self._query.start) / (self._query.end - self._query.start)

    def _step(self, start: float, end: float) -> int:
        """Return the seconds between two rows in a period."""
        interval = self._scrape_interval(start, end)
        return self._query.step or max(interval, -int(-self._query.least_step // 1))

    def _scrape_interval(self, start: float, end: float) -> int:
        return self.host.scrape_interval(self.api, start, end) if self.host else DEFAULT_INTERVAL

    def _periods(self) -> Iterator[_Period]:
        """Yield the periods with at most MAX_POINTS rows; those without a scrape are left out.

        Rows are at multiples of the step, so that a repeated import has the same rows.
        """
        length = MAX_POINTS * self._base_step
        start = self._query.start
        while start < self._query.end:
            # The limits are multiples of the length, so that a repeated import has the same periods.
            end = min((start // length + 1) * length, self._query.end)
            if self.host is None or self.host.has_samples(start, end):
                interval = self._scrape_interval(start, end)
                step = max(self._base_step, interval) if self.host else self._base_step
                first = -int(-start // step) * step
                last = int(end // step) * step - (step if end < self._query.end and end % step == 0 else 0)
                if first <= last:
                    yield _Period(first, last, step, interval)
            start = end

    def _rows(self, period: _Period, stored: StoredSamples | None) -> TraceRows:
        """Return the rows of a period at which the host was scraped."""
        times = period.times
        values = np.full((len(times), len(self.fields)), np.nan)
        is_scraped = self._is_scraped(period)
        present = _stored_values(stored, times, self.fields)
        counts = TraceStatistics()
        for column, (name, expression) in enumerate(self._expressions(period).items()):
            if is_scraped is not None and not np.isnan(present[is_scraped, column]).any():
                values[:, column] = present[:, column]
            else:
                answer = self.api.query_range(expression, period.start, period.end, period.step)
                values[:, column] = _column(name, expression, answer, period)
        is_row = ~np.isnan(values).all(axis=1) if is_scraped is None else is_scraped
        values = values[is_row]
        checked = validated_values(self.fields, values)
        for row, column in np.argwhere(~np.isnan(values) & np.isnan(checked)).tolist():
            counts.add_bad_cell(0, self.fields[column], f"{values[row, column]:g}")
        counts.rows = len(checked)
        for _ in range(int(np.isnan(checked).all(axis=1).sum())):
            counts.add_row_without_value()
        return TraceRows(columns=self.fields, times=times[is_row], values=checked, counts=counts)

    def _is_scraped(self, period: _Period) -> Bools | None:
        """Return True for each row whose window has enough scrapes; None without node_exporter series."""
        if self.host is None:
            return None
        selector = series(self.host.anchor, self.host.matchers)
        expression = f"max(count_over_time({selector}[{period.window}s]))"
        answer = self.api.query_range(expression, period.start, period.end, period.step)
        scrapes = _column("scrapes", expression, answer, period)
        return np.asarray(scrapes >= period.min_scrapes)

    def _expressions(self, period: _Period) -> dict[str, str]:
        """Return the expression for each field of `fields`, in their order."""
        built_in: Mapping[str, str] = {}
        if self.host is not None:
            exporter = NodeExporter(self.host.matchers, self.host.interfaces, self.host.disks, period.window)
            built_in = exporter.expressions()
        own = {name: _with_variables(text, period) for name, text in self._query.expressions.items()}
        return {name: own.get(name) or built_in[name] for name in self.fields}


def _with_variables(expression: str, period: _Period) -> str:
    """Replace the variables that expressions copied from Grafana contain."""
    texts = {"$__rate_interval": f"{period.window}s", "$__interval": f"{period.step}s"}
    for name, text in texts.items():
        expression = expression.replace(name, text).replace("${" + name[1:] + "}", text)
    return expression


def _column(name: str, expression: str, answer: Sequence[Series], period: _Period) -> Array:
    """Return the values of the only series of an answer at the times of a period; NaN where it has none.

    Raises:
        MonitorError: the answer has several series.
    """
    values = np.full(len(period.times), np.nan)
    if len(answer) > 1:
        listed = ", ".join(label_text(entry.labels) for entry in answer[:MAX_LISTED])
        raise MonitorError(
            f"{name}: the expression {expression} yields {len(answer)} series, such as {listed}: aggregate them, for "
            "example with sum() or max()"
        )
    for entry in answer:
        rows = np.rint((entry.times - period.start) / period.step).astype(int)
        is_inside = (rows >= 0) & (rows < len(values))
        values[rows[is_inside]] = entry.values[is_inside]
    return values


def _stored_values(stored: StoredSamples | None, times: Array, fields: Sequence[str]) -> Array:
    """Return the stored values (rows, fields) at the given times; NaN where there are none."""
    values = np.full((len(times), len(fields)), np.nan)
    if stored is None:
        return values
    table = stored(times[0] - 1, times[-1])
    rows = np.searchsorted(times, table[:, 0])
    is_row = (rows < len(times)) & (times[np.minimum(rows, len(times) - 1)] == table[:, 0])
    columns = [1 + SAMPLE_FIELDS.index(name) for name in fields]
    values[rows[is_row]] = table[is_row][:, columns]
    return values
