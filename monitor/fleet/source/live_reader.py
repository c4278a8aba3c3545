"""Live reader: one sample of every host, by one instant query per field."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from monitor.config.fleet.fleet_section import FleetSection
from monitor.config.fleet.source_section import SourceSection
from monitor.errors import SourceError
from monitor.fleet.interfaces import FleetSample
from monitor.fleet.source.answers import Array, Vector, read_vector
from monitor.fleet.source.field_queries import FieldQueries
from monitor.fleet.source.server_queries import QueryError, ServerQueries
from monitor.fleet.source.sharding import in_shard
from monitor.fleet.source.statistics import FieldOutcome
from monitor.sampling.value_bounds import validated_values

READ_SHARE = 0.8
"""Part of a step within which its queries are sent and repeated."""


class LiveReader:
    """Reader of the samples of one step after another.

    Attributes:
        outcomes: outcome of each field at the last step.
    """

    def __init__(
        self, server: ServerQueries, queries: FieldQueries, section: SourceSection, fleet: FleetSection
    ) -> None:
        self.outcomes: tuple[FieldOutcome, ...] = ()
        self._server = server
        self._queries = queries
        self._section = section
        self._fleet = fleet

    def read(self, at: float) -> FleetSample:
        """Return the sample of the hosts of this shard; a field whose query failed is missing.

        Args:
            at: seconds since the epoch.

        Raises:
            SourceError: the queries of all fields failed, or more than `max_hosts` hosts have values.
        """
        self.outcomes = ()
        deadline = time.monotonic() + READ_SHARE * self._section.step - self._section.delay

        def query(expression: str) -> Vector:
            return read_vector(self._server.instant(expression, at, deadline), self._section.host_label)

        results = self._server.each(self._queries.expressions(), query)
        self.outcomes = tuple(_outcome(field, result) for field, result in results.items())
        vectors = {field: result for field, result in results.items() if isinstance(result, Vector)}
        if not vectors:
            raise SourceError(self.outcomes[0].error)
        hosts = self._hosts(vectors)
        values = self._values(vectors, hosts)
        checked = validated_values(self._queries.columns, values)
        rejected = (~np.isnan(values) & np.isnan(checked)).sum(axis=0).tolist()
        self.outcomes = tuple(
            replace(outcome, rejected=count) for outcome, count in zip(self.outcomes, rejected, strict=True)
        )
        rows = np.flatnonzero(~np.isnan(checked).all(axis=1))
        return FleetSample(at, tuple(hosts[row] for row in rows), checked[rows])

    def _hosts(self, vectors: Mapping[str, Vector]) -> list[str]:
        """Return the sorted hosts of this shard."""
        names = set().union(*(vector.hosts for vector in vectors.values()))
        fleet = self._fleet
        hosts = sorted(name for name in names if in_shard(name, fleet.shard, fleet.shards))
        if len(hosts) > self._section.max_hosts:
            raise SourceError(
                f"{self._server.client.url}: {len(hosts)} hosts have values, more than source.max_hosts "
                f"({self._section.max_hosts}): use a narrower source.selector, or shards"
            )
        return hosts

    def _values(self, vectors: Mapping[str, Vector], hosts: list[str]) -> Array:
        """Return the values (hosts, columns), NaN where missing."""
        row_of = {host: row for row, host in enumerate(hosts)}
        # One more row takes the values of the hosts of other shards.
        values = np.full((len(hosts) + 1, len(self._queries.columns)), np.nan)
        for column, field in enumerate(self._queries.columns):
            if field in vectors:
                rows = [row_of.get(host, -1) for host in vectors[field].hosts]
                values[rows, column] = vectors[field].values
        return values[:-1]


def _outcome(field: str, result: Vector | QueryError) -> FieldOutcome:
    if isinstance(result, QueryError):
        return FieldOutcome(field, str(result))
    return FieldOutcome(field, notes=result.notes)
