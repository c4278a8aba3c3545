"""Matrix file: rows from the JSON answer of a range query of the Prometheus API."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from monitor.sampling.history_sources.json_reader import JsonReader
from monitor.sampling.history_sources.prometheus_api import label_text
from monitor.sampling.metric_catalog import METRIC_BY_FIELD
from monitor.sampling.trace_format.cells import CellParser
from monitor.sampling.trace_format.errors import LineError
from monitor.sampling.trace_format.options import TraceOptions
from monitor.sampling.trace_format.statistics import TraceStatistics
from monitor.sampling.trace_format.timestamps import check_not_future
from monitor.sampling.trace_reader import TraceRows
from monitor.system.suggestions import suggestion
from storage import SAMPLE_FIELDS

KEYS = re.compile(r'(?<!\\)"(status|resultType|metric|values|histograms)"\s*:')

NAME = "__name__"
"""Label with the name of a metric."""

Points = dict[float, float]
"""Value by time in seconds since the epoch; NaN for a missing value."""


def read_matrix(reader: JsonReader, options: TraceOptions) -> TraceRows:
    """Return the rows of all series; a series holds the field of its metric name, or the one that `--map` states.

    Args:
        reader: JSON text.
        options: field by name of a series, units, and the current time.

    Raises:
        MonitorError: the answer is no matrix, or a series is unknown or has another unit.
    """
    table = _MatrixTable(options)
    labels: Mapping[str, Any] = {}
    while key := reader.next_key(KEYS):
        value = reader.value()
        try:
            if key == "metric":
                labels = dict(value)
            elif key == "values":
                table.add(labels, value)
            else:
                _check_kind(key, value)
        except LineError as error:
            raise reader.refusal(str(error)) from error
        except (TypeError, ValueError, IndexError) as error:
            raise reader.refusal(f"the series {label_text(labels)} has an unexpected structure") from error
    if not table.names:
        raise reader.refusal("the result has no series: check the query and its period")
    return table.rows()


def _check_kind(key: str, value: Any) -> None:
    """Raise LineError unless the answer is a matrix of floats."""
    if key == "status" and value != "success":
        raise LineError(f"the answer has status {value!r}: it is an error of the server")
    if key == "resultType" and value != "matrix":
        raise LineError(f"the result is of type {value}: use the answer of api/v1/query_range")
    if key == "histograms":
        raise LineError("the result has histograms: query a quantile of them")


class _MatrixTable:
    """Values of the series of one file.

    Attributes:
        names: names of all series, in lower case.
    """

    def __init__(self, options: TraceOptions) -> None:
        self.names: set[str] = set()
        self._options = options
        self._fields = {name.lower(): field for name, field in options.columns.items()}
        self._points: dict[str, Points] = {}
        self._ignored: list[str] = []
        self._counts = TraceStatistics()

    def add(self, labels: Mapping[str, Any], points: Any) -> None:
        """Add a series.

        Raises:
            LineError: the series is unknown, its field is known already, or a value has another unit.
            TypeError, ValueError, IndexError: the points have another structure.
        """
        name = _series_name(labels)
        candidates = (name.lower(), str(labels.get(NAME, "")).lower())
        self.names.update(candidates)
        field = next((self._fields.get(text, text) for text in candidates if self._is_field(text)), None)
        if field is None:
            if not self._fields:
                raise LineError(_unknown_series(name))
            self._ignored.append(name)
            return
        if field in self._points:
            raise LineError(f"two series hold {field}, one of them is {name}: keep one of them")
        parse = CellParser(field, name, percent=self._options.percent, marks=None)
        self._points[field] = {}
        for at, text in points:
            value = parse(str(text), 0)
            if value is None:
                self._counts.add_bad_cell(0, name, str(text))
            time = float(at)
            if self._options.now is not None:
                check_not_future(time, str(at), self._options.now)
            self._points[field][time] = math.nan if value is None else value

    def rows(self) -> TraceRows:
        """Return the rows: one per time at which any series has a point."""
        times = np.array(sorted({time for points in self._points.values() for time in points}))
        columns = tuple(name for name in SAMPLE_FIELDS if name in self._points)
        values = np.full((len(times), len(columns)), np.nan)
        for column, name in enumerate(columns):
            points = self._points[name]
            rows = np.searchsorted(times, list(points))
            values[rows, column] = list(points.values())
        self._counts.rows = len(times)
        for _ in range(int(np.isnan(values).all(axis=1).sum())):
            self._counts.add_row_without_value()
        return TraceRows(
            columns=columns,
            times=times,
            values=values,
            counts=self._counts,
            ignored=tuple(self._ignored),
            names=frozenset(self.names),
        )

    def _is_field(self, text: str) -> bool:
        return self._fields.get(text, text) in METRIC_BY_FIELD


def _series_name(labels: Mapping[str, Any]) -> str:
    """Return metric name and labels as in PromQL, without spaces: a name to use with `--map`."""
    others = {key: str(value) for key, value in labels.items() if key != NAME}
    text = label_text(others).replace(", ", ",") if others or NAME not in labels else ""
    return f"{labels.get(NAME, '')}{text}"


def _unknown_series(name: str) -> str:
    near = suggestion(name.partition("{")[0].lower(), SAMPLE_FIELDS)
    return f"unknown series {name!r}{near}; name its field with --map FIELD='{name}'"
