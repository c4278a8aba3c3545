"""Reading of aggregates: those stored with blocks, and those computed from rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, and_, bindparam, func, select

from storage.aggregates.computation import BUCKET, Array
from storage.aggregates.encoding import aggregates_checksum, decode_aggregates
from storage.blocks.reading import BlockReader, Gap
from storage.blocks.series import HOUR, Series, hour_of, just_before
from storage.database import Database
from storage.rows import raw_rows
from storage.samples.arrays import fetch_numbers, with_nan

CHUNK_SECONDS = 24 * HOUR
"""Longest period that is read in one transaction."""


def is_aligned(start: float, width: float) -> bool:
    """Return True if time buckets from `start` on, `width` seconds each, consist of whole buckets of aggregates."""
    return start % BUCKET == 0 and width % BUCKET == 0


class AggregateReader:
    """Reader of the aggregates of one series of one host, in bounded memory."""

    def __init__(self, database: Database, series: Series, host_id: int) -> None:
        self._database = database
        self._series = series
        self._host_id = host_id

    def between(self, start: float, end: float) -> Iterator[Array]:
        """Yield the aggregates of the buckets that start at start <= at < end, in order of time.

        Args:
            start: seconds since the epoch, a multiple of BUCKET.
            end: seconds since the epoch, a multiple of BUCKET.

        Yields:
            Aggregates (rows, series.aggregate_columns) of at most CHUNK_SECONDS.

        Raises:
            StorageError: the database cannot be read.
        """
        position = start
        while position < end:
            stop = min(hour_of(position) + CHUNK_SECONDS, end)
            with self._database.reading() as connection:
                parts = [np.empty((0, self._series.aggregate_columns)), *self._parts(connection, position, stop)]
            values = np.concatenate(parts)
            yield values[(values[:, 0] >= position) & (values[:, 0] < stop)]
            position = stop

    def _parts(self, connection: Connection, start: float, end: float) -> Iterator[Array]:
        """Yield the aggregates of each hour that overlaps a period; see `between`."""
        position = hour_of(start)
        for hour, values in self._blocks(connection, start, end):
            yield from self._of_rows(connection, position, hour)
            yield self._computed(connection, hour) if values is None else values
            position = hour + HOUR
        yield from self._of_rows(connection, position, end)

    def _blocks(self, connection: Connection, start: float, end: float) -> Iterator[tuple[float, Array | None]]:
        """Yield the start of each block that overlaps a period, and its aggregates; None if they are not usable."""
        bounds = {"host_id": self._host_id, "after": start - HOUR, "end": end}
        for hour, block_checksum, checksum, data in raw_rows(connection, _select_aggregates(self._series), bounds):
            yield hour, self._decoded(block_checksum, checksum, data)

    def _decoded(self, block_checksum: object, checksum: object, data: object) -> Array | None:
        if not isinstance(block_checksum, int) or not isinstance(data, bytes):
            return None
        columns = self._series.aggregate_columns
        return (
            decode_aggregates(data, columns)
            if checksum == aggregates_checksum(data, columns, block_checksum)
            else None
        )

    def _of_rows(self, connection: Connection, start: float, end: float) -> Iterator[Array]:
        """Yield the aggregates of each hour with rows in start <= at < end, a period without blocks."""
        query = _select_first(self._series)
        position = start
        while position < end:
            bounds = {"host_id": self._host_id, "start": position, "end": just_before(end)}
            first: float | None = connection.scalar(query, bounds)
            if first is None:
                return
            yield self._computed(connection, hour_of(first))
            position = hour_of(first) + HOUR

    def _computed(self, connection: Connection, hour: float) -> Array:
        """Return the aggregates of the rows and the block of the hour that begins at `hour`."""
        series = self._series
        damaged = self._database.damaged_rows
        reader = BlockReader(connection, damaged, series, self._host_id)
        parts = reader.parts(hour, just_before(hour + HOUR), series.columns)
        values = [self._rows(connection, part) if isinstance(part, Gap) else part for part in parts]
        return series.aggregate(np.concatenate([np.empty((0, len(series.columns))), *values]))

    def _rows(self, connection: Connection, gap: Gap) -> Array:
        """Return all columns of the rows of a period without blocks, ordered by time."""
        series, rows = self._series, self._series.rows.c
        in_gap = (rows.host_id == self._host_id, rows.at >= gap.start, rows.at <= gap.end)
        query = series.select_values(series.columns).where(*in_gap).order_by(rows.at)
        damaged = self._database.damaged_rows
        return with_nan(fetch_numbers(connection, query, damaged, len(series.columns), table=series.rows.name))


# Each query is built once: expressions of SQLAlchemy have reference cycles, and cost more than these queries.


@cache
def _select_aggregates(series: Series) -> Select[Any]:
    blocks, own = series.blocks, series.aggregates
    same = and_(own.c.host_id == blocks.c.host_id, own.c.start == blocks.c.start)
    return (
        select(blocks.c.start, blocks.c.checksum, own.c.checksum, own.c.data)
        .select_from(blocks.outerjoin(own, same))
        .where(
            blocks.c.host_id == bindparam("host_id"),
            blocks.c.start > bindparam("after"),
            blocks.c.start < bindparam("end"),
        )
        .order_by(blocks.c.start)
    )


@cache
def _select_first(series: Series) -> Select[Any]:
    rows = series.rows.c
    return select(func.min(rows.at)).where(
        rows.host_id == bindparam("host_id"), rows.at >= bindparam("start"), rows.at <= bindparam("end")
    )
