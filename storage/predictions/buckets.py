"""Bucket maxima: aggregates of the predictions in time buckets, from rows and blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Integer, Select, Table, cast, func, select

from storage.aggregates.reading import AggregateReader, is_aligned
from storage.blocks.reading import Gap, RecentBlocks
from storage.blocks.series import Array, just_before
from storage.blocks.stored_series import StoredSeries
from storage.database import Database
from storage.queries import bucket_chunks, bucket_number, in_chunk
from storage.rows import tuple_decoder
from storage.samples.arrays import fetch_numbers
from storage.schema import predictions, replayed_predictions

COLUMNS = ("at", "horizon", "probability", "baseline_probability", "threshold", "warning")

_BUCKETS = tuple_decoder(predictions.name, float, int, float, float, float, float)


def _bucket_maxima(table: Table) -> Select[Any]:
    """Build the query of `BucketMaxima`."""
    bucket = bucket_number(table).label("bucket")
    figures = (
        func.max(table.c.probability),
        func.avg(table.c.baseline_probability),
        func.min(table.c.threshold),
        func.max(cast(table.c.warning, Integer)),
    )
    return select(table.c.horizon, bucket, *figures).where(*in_chunk(table)).group_by(table.c.horizon, bucket)


_BUCKET_MAXIMA = {table.name: _bucket_maxima(table) for table in (predictions, replayed_predictions)}


class BucketMaxima:
    """Aggregates of the predictions of one host in time buckets."""

    def __init__(self, database: Database, series: StoredSeries, host_id: int) -> None:
        self._database = database
        self._series = series
        self._host_id = host_id
        self._rows = series.series.rows

    def read(self, start: float, width: float, count: int) -> dict[float, NDArray[np.float64]]:
        """Return the aggregates by horizon; see `PredictionRepository.bucket_maxima`."""
        if is_aligned(start, width):
            return self._of_stored_aggregates(start, width, count)
        maxima: dict[float, NDArray[np.float64]] = {}
        recent = RecentBlocks()
        for chunk in bucket_chunks(self._host_id, start, width, count):
            with self._database.reading() as connection:
                for horizon, number, *values in self._read_chunk(connection, chunk, recent):
                    table = maxima.setdefault(horizon, np.full((count, 4), np.nan))
                    table[min(number, count - 1)] = values
        return dict(sorted(maxima.items()))

    def _of_stored_aggregates(self, start: float, width: float, count: int) -> dict[float, NDArray[np.float64]]:
        """Return the aggregates by horizon for buckets that consist of whole buckets of stored aggregates."""
        reader = AggregateReader(self._database, self._series.series, self._host_id)
        empty = np.tile((-np.inf, 0.0, np.inf, 0.0, 0.0), (count, 1))
        totals: dict[float, NDArray[np.float64]] = {}
        for part in reader.between(start, start + width * count):
            for horizon in np.unique(part[:, 1]).tolist():
                at, _, number, probability, baseline_sum, threshold, warning = part[part[:, 1] == horizon].T
                bucket = ((at - start) // width).astype(np.int64)
                total = totals.setdefault(horizon, empty.copy())
                np.maximum.at(total[:, 0], bucket, probability)
                np.add.at(total[:, 1], bucket, baseline_sum)
                np.minimum.at(total[:, 2], bucket, threshold)
                np.maximum.at(total[:, 3], bucket, warning)
                np.add.at(total[:, 4], bucket, number)
        for total in totals.values():
            total[total[:, 4] == 0] = np.nan
            total[:, 1] /= total[:, 4]
        return {horizon: total[:, :4] for horizon, total in sorted(totals.items())}

    def _read_chunk(
        self, connection: Connection, chunk: dict[str, float], recent: RecentBlocks
    ) -> list[tuple[Any, ...]]:
        """Return horizon, number of the bucket and aggregates, for each horizon and bucket with predictions."""
        start, end = chunk["chunk_start"], just_before(chunk["chunk_end"])
        if not self._series.blocks(connection).any(start, end):
            query = _BUCKET_MAXIMA[self._rows.name]
            return _BUCKETS.read(self._database.damaged_rows, connection, query, **chunk)
        parts = self._series.blocks(connection, recent).parts(start, end, COLUMNS)
        values = [self._read_rows(connection, part) if isinstance(part, Gap) else part for part in parts]
        return _aggregates(
            np.concatenate([np.empty((0, len(COLUMNS))), *values]), start, chunk["width"], int(chunk["first_bucket"])
        )

    def _read_rows(self, connection: Connection, gap: Gap) -> Array:
        """Return COLUMNS of the predictions in a period without blocks, ordered by time."""
        rows = self._rows.c
        query = self._series.series.select_values(COLUMNS)
        query = query.where(rows.host_id == self._host_id, rows.at >= gap.start, rows.at <= gap.end)
        damaged = self._database.damaged_rows
        return fetch_numbers(connection, query.order_by(rows.at), damaged, len(COLUMNS), table=self._rows.name)


def _aggregates(values: Array, start: float, width: float, first_bucket: int) -> list[tuple[Any, ...]]:
    """Return the rows of the query of bucket maxima, computed from predictions.

    Args:
        values: (rows, COLUMNS) ordered by time.
        start: start of the first bucket in seconds since the epoch.
        width: width of a bucket in seconds.
        first_bucket: number of the first bucket.
    """
    result: list[tuple[Any, ...]] = []
    for horizon in sorted(set(values[:, 1].tolist())):
        at, _, probability, baseline, threshold, warning = values[values[:, 1] == horizon].T
        buckets, first, group = np.unique(
            ((at - start) / width).astype(np.int64), return_index=True, return_inverse=True
        )
        # One value after the other is added, as in SQLite.
        means = np.bincount(group, baseline) / np.bincount(group)
        figures = (
            np.maximum.reduceat(probability, first),
            means,
            np.minimum.reduceat(threshold, first),
            np.maximum.reduceat(warning, first),
        )
        numbers = (first_bucket + buckets).tolist()
        result += [(horizon, *row) for row in zip(numbers, *(figure.tolist() for figure in figures), strict=True)]
    return result
