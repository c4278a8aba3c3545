"""Prometheus HTTP API: queries of Prometheus and of servers with the same API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from monitor.errors import MAX_PROBLEM_LENGTH, MonitorError, shortened
from monitor.sampling.history_sources.http_answers import ExpensiveQueryError, HttpStatusError
from monitor.sampling.history_sources.http_client import HttpClient

Array = npt.NDArray[np.float64]
Parsed = TypeVar("Parsed")

MAX_POINTS = 10_000
"""Largest number of points of a series in one query; Prometheus allows 11,000."""

MIN_POINTS = 60
"""Number of points below which a query that the server refuses as too expensive is not split any more."""

WHOLE_ANSWERS = {"partial_response": "false", "deny_partial_response": "1"}
"""Parameters that forbid partial answers, in Thanos and in VictoriaMetrics; others ignore them."""


@dataclass(frozen=True)
class Series:
    """Time series.

    Attributes:
        labels: labels of the series.
        times: (points,) seconds since the epoch.
        values: (points,); may contain NaN and infinities.
    """

    labels: Mapping[str, str]
    times: Array
    values: Array


class PrometheusApi:
    """Queries of one server.

    Attributes:
        warnings: distinct warnings of the answers, in their order.
    """

    def __init__(self, client: HttpClient) -> None:
        self.client = client
        self.warnings: list[str] = []

    def query_range(self, expression: str, start: float, end: float, step: int) -> list[Series]:
        """Return the series of an expression at the times start, start + step, ..., end.

        A period that the server refuses as too expensive is halved, and both halves are queried.

        Raises:
            MonitorError: the server refuses the query, or its answer is invalid.
        """
        parameters = {"query": expression, "start": f"{start:.0f}", "end": f"{end:.0f}", "step": str(step)}
        try:
            return self._get("query_range", parameters, _matrix)
        except HttpStatusError as error:
            points = int((end - start) // step) + 1
            if not isinstance(error, ExpensiveQueryError) or points <= MIN_POINTS:
                raise MonitorError(f"{error}; the query is: {shortened(expression, MAX_PROBLEM_LENGTH)}") from error
        middle = start + points // 2 * step
        earlier = self.query_range(expression, start, middle - step, step)
        return _joined(earlier + self.query_range(expression, middle, end, step))

    def samples(self, selector: str, seconds: int, until: float) -> list[Series]:
        """Return the stored samples of the selected series in the period (until - seconds, until].

        Raises:
            MonitorError: as for `query_range`.
        """
        return self._get("query", {"query": f"{selector}[{seconds}s]", "time": f"{until:.0f}"}, _matrix)

    def series(self, selector: str, start: float, end: float) -> list[Mapping[str, str]]:
        """Return the labels of the series that match a selector in a period.

        Raises:
            MonitorError: as for `query_range`.
        """
        return self._get("series", _match(selector, start, end), _label_sets)

    def label_values(self, label: str, selector: str, start: float, end: float) -> list[str]:
        """Return the values of a label of the series that match a selector in a period.

        Raises:
            MonitorError: as for `query_range`.
        """
        return self._get(f"label/{label}/values", _match(selector, start, end), _texts)

    def _get(self, path: str, parameters: Mapping[str, str], parse: Callable[[Any], Parsed]) -> Parsed:
        """Return the parsed `data` of an answer.

        Raises:
            HttpStatusError: the server refuses the request.
            MonitorError: there is no complete answer, or it has another structure.
        """
        document = self.client.get(f"api/v1/{path}", {**parameters, **WHOLE_ANSWERS})
        try:
            if document["status"] != "success":
                raise MonitorError(f"{self.client.url}: {shortened(str(document.get('error')), MAX_PROBLEM_LENGTH)}")
            self._note_warnings(document.get("warnings") or ())
            return parse(document["data"])
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise MonitorError(f"{self.client.url}: the answer of {path} has an unexpected structure") from error

    def _note_warnings(self, warnings: Sequence[Any]) -> None:
        for warning in warnings:
            text = shortened(str(warning), MAX_PROBLEM_LENGTH)
            if text not in self.warnings:
                self.warnings.append(text)


def matrix_series(result: Sequence[Any]) -> list[Series]:
    """Return the series of a result of type matrix.

    Raises:
        KeyError, TypeError, ValueError: the result has another structure.
    """
    return [_series(entry) for entry in result]


def label_text(labels: Mapping[str, str]) -> str:
    """Return labels as a selector, such as {instance="web1:9100", job="node"}."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"


def _match(selector: str, start: float, end: float) -> dict[str, str]:
    return {"match[]": selector, "start": f"{start:.0f}", "end": f"{end:.0f}"}


def _matrix(data: Any) -> list[Series]:
    if data["resultType"] != "matrix":
        raise ValueError(f"result type {data['resultType']}")
    return matrix_series(data["result"])


def _series(entry: Any) -> Series:
    points = entry["values"]
    labels = {str(name): str(value) for name, value in entry["metric"].items()}
    times = np.array([float(point[0]) for point in points])
    values = np.array([float(point[1]) for point in points])
    return Series(labels, times, values)


def _label_sets(data: Any) -> list[Mapping[str, str]]:
    return [{str(name): str(value) for name, value in labels.items()} for labels in data]


def _texts(data: Any) -> list[str]:
    return [str(value) for value in data or ()]


def _joined(parts: Sequence[Series]) -> list[Series]:
    """Join the parts of each series, which are ordered by time."""
    by_labels: dict[str, list[Series]] = {}
    for part in parts:
        by_labels.setdefault(label_text(part.labels), []).append(part)
    return [
        Series(
            labels=group[0].labels,
            times=np.concatenate([part.times for part in group]),
            values=np.concatenate([part.values for part in group]),
        )
        for group in by_labels.values()
    ]
