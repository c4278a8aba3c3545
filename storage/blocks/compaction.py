"""Compaction: rows of complete hours replaced by blocks, one hour per transaction."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
from sqlalchemy import Connection, and_, delete, func, insert, select

from storage.aggregates.encoding import aggregates_checksum, encode_aggregates
from storage.blocks.columns import MAX_ROWS
from storage.blocks.format import encode_block
from storage.blocks.reading import BlockReader
from storage.blocks.series import ALL_SERIES, HOUR, Array, Series, hour_of
from storage.database import Database
from storage.rows import DamagedRows, raw_rows
from storage.schema import LOCAL_HOST_ID

COMPACTED_TABLES = tuple(series.rows.name for series in ALL_SERIES)
"""Names of the tables whose old rows are compressed."""

MAX_TIME = 2.0**40
"""Time in seconds since the epoch up to which a float distinguishes milliseconds; later rows stay as they are."""


@dataclass(frozen=True)
class CompactedHour:
    """Result of one step of the compaction.

    Attributes:
        start: start of the hour in seconds since the epoch.
        rows: number of rows that the block replaced; 0 if the hour was left as it is.
    """

    start: float
    rows: int


class Compactor:
    """Compaction of the samples and predictions of one host.

    The block and its aggregates are inserted and its rows are deleted in one transaction: whenever the process ends,
    an hour has either.
    An hour with a damaged row, with a damaged block or with more than MAX_ROWS rows is left as it is.
    """

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id

    def compact_next(self, name: str, after: float, before: float) -> CompactedHour | None:
        """Compress the oldest hour with rows in a period.

        Args:
            name: one of COMPACTED_TABLES.
            after: the hour starts at this time or later, in seconds since the epoch.
            before: the hour ends at this time or earlier, in seconds since the epoch.

        Returns:
            The hour, or None if there is none.

        Raises:
            StorageError: the database refuses the operation.
        """
        series = ALL_SERIES[COMPACTED_TABLES.index(name)]
        at = series.rows.c.at
        oldest = select(func.min(at)).where(
            series.rows.c.host_id == self._host_id, at >= max(after, 0.0), at < min(before, MAX_TIME)
        )
        with self._database.reading() as connection:
            first: float | None = connection.scalar(oldest)
        if first is None or hour_of(first) + HOUR > before:
            return None
        start = hour_of(first)
        with self._database.writing() as connection:
            return CompactedHour(start, self._compact(connection, series, start))

    def _compact(self, connection: Connection, series: Series, start: float) -> int:
        """Replace the rows of one hour by a block, and return their number; 0 if the hour cannot be compressed."""
        rows = series.rows.c
        in_hour = and_(rows.host_id == self._host_id, rows.at >= start, rows.at < start + HOUR)
        values = _read_valid(connection, series, start, self._host_id)
        if values is None or BlockReader(connection, DamagedRows(), series, self._host_id).any(start, start):
            return 0
        block = encode_block(series, self._host_id, start, values)
        connection.execute(insert(series.blocks), block)
        aggregates = encode_aggregates(series.aggregate(values))
        checksum = aggregates_checksum(aggregates, series.aggregate_columns, block["checksum"])
        row = {"host_id": self._host_id, "start": start, "checksum": checksum, "data": aggregates}
        connection.execute(insert(series.aggregates), row)
        connection.execute(delete(series.rows).where(in_hour))
        return len(values)


def _read_valid(connection: Connection, series: Series, start: float, host_id: int) -> Array | None:
    """Return the rows of one hour (rows, series.columns), NaN where missing; None if it cannot be compressed."""
    rows = series.rows.c
    in_hour = and_(rows.host_id == host_id, rows.at >= start, rows.at < start + HOUR)
    if (connection.scalar(select(func.count()).select_from(series.rows).where(in_hour)) or 0) > MAX_ROWS:
        return None
    query = series.select_values(series.columns).where(in_hour).order_by(rows.at)
    cells = list(chain.from_iterable(raw_rows(connection, query)))
    if not cells or not set(map(type, cells)) <= {float, int}:
        return None
    values = np.fromiter(cells, np.float64, len(cells)).reshape(-1, len(series.columns))
    values[np.isinf(values)] = np.nan
    for name, column in zip(series.columns, values.T, strict=True):
        if not rows[name].nullable and np.isnan(column).any():
            return None
        if name in series.whole and (column != np.rint(column)).any():
            return None
    return values
