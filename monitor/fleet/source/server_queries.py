"""Server queries: instant and range queries of one server, several at the same time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from monitor.errors import MAX_PROBLEM_LENGTH, MonitorError, SourceError, shortened
from monitor.fleet.source.garbage_collection import collection_paused
from monitor.sampling.history_sources.http_answers import ExpensiveQueryError
from monitor.sampling.history_sources.http_client import HttpClient
from monitor.sampling.history_sources.prometheus_api import WHOLE_ANSWERS

Result = TypeVar("Result")

CURRENT_ANSWERS = {"nocache": "1"}
"""Parameter for VictoriaMetrics, which otherwise answers with values that are 30 s older; others ignore it."""


class QueryError(SourceError):
    """Raised when the query of a field failed.

    Attributes:
        is_expensive: True if the server refused the query as too expensive: one of a shorter period may succeed.
    """

    def __init__(self, message: str, *, is_expensive: bool) -> None:
        super().__init__(message)
        self.is_expensive = is_expensive


class ServerQueries:
    """Queries of one server."""

    def __init__(self, client: HttpClient, timeout: float, concurrency: int, *, accepts_partial: bool) -> None:
        """Initialize the queries.

        Args:
            client: client of the server.
            timeout: seconds after which the server gives up a query.
            concurrency: largest number of queries at the same time.
            accepts_partial: True to accept answers that lack the data of storage which is not available.
        """
        self.client = client
        self._concurrency = concurrency
        completeness = {} if accepts_partial else WHOLE_ANSWERS
        self._parameters = {"timeout": f"{math.ceil(timeout)}s", **CURRENT_ANSWERS, **completeness}

    def instant(self, expression: str, time: float, deadline: float = math.inf) -> Any:
        """Return the document of an instant query.

        Args:
            expression: PromQL expression.
            time: seconds since the epoch.
            deadline: time of the monotonic clock at which waiting and repeating end.

        Raises:
            MonitorError: the server gives no usable answer.
        """
        parameters = {"query": expression, "time": f"{time:.0f}", **self._parameters}
        return self.client.post("api/v1/query", parameters, deadline)

    def range(self, expression: str, start: float, end: float, step: float) -> Any:
        """Return the document of a range query.

        Args:
            expression: PromQL expression.
            start: time of the first point in seconds since the epoch.
            end: time of the last point.
            step: seconds between two points.

        Raises:
            ExpensiveQueryError: the server refuses the query as too expensive.
            MonitorError: the server gives no usable answer.
        """
        times = {"start": f"{start:.0f}", "end": f"{end:.0f}", "step": f"{step:.0f}"}
        return self.client.post("api/v1/query_range", {"query": expression, **times, **self._parameters})

    def each(self, expressions: Mapping[str, str], query: Callable[[str], Result]) -> dict[str, Result | QueryError]:
        """Return the result of a query of each field, or its error.

        Args:
            expressions: expression by field.
            query: sends a query; called by several threads.
        """

        def attempt(item: tuple[str, str]) -> Result | QueryError:
            field, expression = item
            try:
                return query(expression)
            except MonitorError as error:
                message = f"{field}: {error}; the query is: {shortened(expression, MAX_PROBLEM_LENGTH)}"
                return QueryError(message, is_expensive=isinstance(error, ExpensiveQueryError))

        with collection_paused(), ThreadPoolExecutor(self._concurrency, thread_name_prefix="fleet-query") as pool:
            return dict(zip(expressions, pool.map(attempt, expressions.items()), strict=True))
