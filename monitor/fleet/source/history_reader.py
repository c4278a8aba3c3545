"""History reader: histories of many hosts by range queries of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from monitor.config.fleet.source_section import SourceSection
from monitor.fleet.interfaces import HostHistory
from monitor.fleet.source.answers import Matrix, read_matrix
from monitor.fleet.source.field_queries import FieldQueries
from monitor.fleet.source.host_names import batches, is_valid_name
from monitor.fleet.source.server_queries import QueryError, ServerQueries
from monitor.sampling.history_sources.prometheus_api import MAX_POINTS, MIN_POINTS
from monitor.sampling.value_bounds import validated_values

MAX_VALUES = 200_000
"""Largest number of values of one answer: 100 hosts for 33 hours at a step of 1 min."""


class HistoryReader:
    """Reader of histories; the parts of a batch of hosts are read in time order.

    An answer that the server refuses as too expensive is requested again with half of the values, and the later ones
    as well. A batch of few points is divided into halves.
    """

    def __init__(self, server: ServerQueries, queries: FieldQueries, section: SourceSection) -> None:
        self._server = server
        self._queries = queries
        self._section = section
        self._max_values = MAX_VALUES

    def read(self, hosts: Sequence[str], start: float, end: float) -> Iterator[HostHistory]:
        """Yield parts of the histories with start <= time < end; a host without values has none.

        Raises:
            SourceError: a query fails.
        """
        step = self._section.step
        first = -(-start // step) * step
        last = (-(-end // step) - 1) * step
        for batch in batches(filter(is_valid_name, hosts)):
            yield from self._batch(batch, first, last)

    def _batch(self, hosts: list[str], first: float, last: float) -> Iterator[HostHistory]:
        """Yield the parts of a batch from `first` to `last`."""
        step = self._section.step
        while first <= last:
            points = min(
                MAX_POINTS, max(MIN_POINTS, self._max_values // len(hosts)), round((last - first) / step) + 1
            )
            results = self._query(hosts, first, points)
            errors = [result for result in results.values() if isinstance(result, QueryError)]
            if any(error.is_expensive for error in errors):
                if points > MIN_POINTS:
                    self._max_values = max(points // 2, MIN_POINTS) * len(hosts)
                    continue
                if len(hosts) > 1:
                    middle = len(hosts) // 2
                    yield from self._batch(hosts[:middle], first, last)
                    yield from self._batch(hosts[middle:], first, last)
                    return
            if errors:
                raise errors[0]
            yield from self._histories(hosts, first, points, results)
            first += points * step

    def _query(self, hosts: list[str], first: float, points: int) -> Mapping[str, Matrix | QueryError]:
        """Return the matrix of each field, or the error of its query."""
        step = self._section.step

        def query(expression: str) -> Matrix:
            document = self._server.range(expression, first, first + (points - 1) * step, step)
            return read_matrix(document, self._section.host_label, first, step, points)

        return self._server.each(self._queries.expressions(hosts), query)

    def _histories(
        self, hosts: list[str], first: float, points: int, results: Mapping[str, Matrix | QueryError]
    ) -> Iterator[HostHistory]:
        """Yield the rows with values of each host."""
        columns = self._queries.columns
        times = first + self._section.step * np.arange(points)
        matrices = {field: matrix for field, matrix in results.items() if isinstance(matrix, Matrix)}
        for host in hosts:
            values = np.full((points, len(columns)), np.nan)
            for column, field in enumerate(columns):
                values[:, column] = matrices[field].values.get(host, np.nan)
            checked = validated_values(columns, values)
            is_row = ~np.isnan(checked).all(axis=1)
            if is_row.any():
                yield HostHistory(host, times[is_row], checked[is_row])
