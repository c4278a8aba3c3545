"""Prediction repository: predictions as published, kept as long as the samples."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from storage.blocks.reading import Gap
from storage.blocks.series import PREDICTIONS, REPLAYED_PREDICTIONS, Array, just_after, just_before
from storage.blocks.stored_series import StoredSeries
from storage.database import Database
from storage.errors import DuplicateKeyError
from storage.predictions.buckets import BucketMaxima
from storage.predictions.insertion import insert_predictions, replace_predictions
from storage.queries import bucket_chunks, bucket_number, in_chunk
from storage.records import Prediction
from storage.rows import record_decoder
from storage.schema import LOCAL_HOST_ID


class PredictionRepository:
    """Predictions for one host, safe to use from several threads.

    Every method raises StorageError if the database refuses the operation.
    """

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID, *, replayed: bool = False) -> None:
        """Initialize for the live or the replayed predictions of one host.

        Args:
            database: open database.
            host_id: ID of the host.
            replayed: access the predictions of a replay of imported history instead of live predictions.
        """
        self._database = database
        self._host_id = host_id
        kind = REPLAYED_PREDICTIONS if replayed else PREDICTIONS
        self._table = kind.rows
        self._names = kind.columns
        self._series = StoredSeries(database, kind, host_id)
        self._columns = self._table.c[self._names]
        self._own = self._table.c.host_id == host_id
        self._decoder = record_decoder(self._table.name, Prediction, key=2)

    def append(self, new: Sequence[Prediction]) -> None:
        """Store predictions in one transaction, replacing stored predictions with the same time and horizon."""
        if not new:
            return
        try:
            with self._database.writing() as connection:
                insert_predictions(connection, self._host_id, new, self._series.series)
        except DuplicateKeyError:
            with self._database.writing() as connection:
                replace_predictions(connection, self._host_id, new, self._series.series)

    def between(self, start: float, end: float, horizon: float | None = None) -> list[Prediction]:
        """Return the predictions made at start < at <= end, ordered by time and horizon.

        Args:
            start: seconds since the epoch, exclusive.
            end: seconds since the epoch, inclusive.
            horizon: return predictions with this horizon (seconds) only; None for all horizons.
        """
        column = self._table.c
        result: list[Prediction] = []
        with self._database.reading() as connection:
            for part in self._series.blocks(connection).parts(just_after(start), end, self._names):
                if isinstance(part, Gap):
                    query = select(*self._columns).where(self._own, column.at >= part.start, column.at <= part.end)
                    if horizon is not None:
                        query = query.where(column.horizon == horizon)
                    query = query.order_by(column.at, column.horizon)
                    result += self._decoder.read(self._database.damaged_rows, connection, query)
                else:
                    result += _predictions(part if horizon is None else part[part[:, 1] == horizon])
        return result

    def bucket_maxima(self, start: float, width: float, count: int) -> dict[float, NDArray[np.float64]]:
        """Return aggregates of the predictions in each time bucket, computed in bounded memory.

        Args:
            start: start of the first bucket, in seconds since the epoch.
            width: width of a bucket in seconds.
            count: number of buckets.

        Returns:
            Array (count, 4) for each horizon in seconds, shortest horizon first. Columns: largest probability, mean
            baseline probability, smallest threshold, and 1 if a warning was active, else 0; NaN for an empty bucket.
        """
        return BucketMaxima(self._database, self._series, self._host_id).read(start, width, count)

    def last(self) -> list[Prediction]:
        """Return the predictions with the newest time, shortest horizon first; empty if none is stored."""
        column = self._table.c
        # The condition leaves out times of another type, which SQLite sorts after all numbers.
        newest = select(func.max(column.at)).where(self._own, column.at <= math.inf).scalar_subquery()
        query = select(*self._columns).where(self._own, column.at == newest).order_by(column.horizon)
        with self._database.reading() as connection:
            rows = self._decoder.read(self._database.damaged_rows, connection, query)
            after = rows[0].at if rows else -math.inf
            reader = self._series.blocks(connection)
            for block in reader.blocks(after, math.inf, self._names, descending=True):
                at = block.values[-1, 0]
                return rows if at <= after else _predictions(block.values[block.values[:, 0] == at])
        return rows

    def next_time(self, after: float, horizon: float) -> float | None:
        """Return the time of the first prediction after a time, in seconds since the epoch; None if there is none.

        Args:
            after: seconds since the epoch, exclusive.
            horizon: prediction horizon in seconds.
        """
        column = self._table.c
        query = select(func.min(column.at)).where(
            self._own, column.at > after, column.at <= math.inf, column.horizon == horizon
        )
        with self._database.reading() as connection:
            first: float | None = connection.scalar(query)
            end = math.inf if first is None else first
            for block in self._series.blocks(connection).blocks(after, end, ("at", "horizon")):
                at = block.values[:, 0]
                times = at[(at > after) & (block.values[:, 1] == horizon)]
                if len(times):
                    return min(end, float(times[0]))
        return first

    def purge(self, before: float, batch: int = 5000) -> int:
        """Delete old predictions in short transactions.

        Args:
            before: predictions before this time (seconds since the epoch) are deleted.
            batch: number of rows selected in one transaction.

        Returns:
            The number of rows deleted.
        """
        return self._series.purge(before, batch)

    def count_between(self, start: float, end: float) -> int:
        """Return the number of predictions made at start <= at <= end, in seconds since the epoch."""
        return self._series.count(start, end)

    def purge_between(self, start: float, end: float) -> int:
        """Delete the predictions made at start <= at <= end (seconds since the epoch) and return their number."""
        return self._series.purge_between(start, end)

    def count(self) -> int:
        """Return the number of stored predictions."""
        return self._series.count()

    def occupied_buckets(self, start: float, width: float, count: int) -> NDArray[np.bool_]:
        """Return a mask (count,) of the time buckets with a prediction.

        Args:
            start: start of the first bucket, in seconds since the epoch.
            width: width of a bucket in seconds.
            count: number of buckets.
        """
        occupied = np.zeros(count, bool)
        query = select(bucket_number(self._table)).where(*in_chunk(self._table)).distinct()
        for chunk in bucket_chunks(self._host_id, start, width, count):
            with self._database.reading() as connection:
                numbers = list(connection.scalars(query, chunk))
                first, last = chunk["chunk_start"], just_before(chunk["chunk_end"])
                for block in self._series.blocks(connection).blocks(first, last, ("at",)):
                    at = block.values[:, 0]
                    inside = at[(at >= first) & (at <= last)]
                    numbers += (chunk["first_bucket"] + (inside - first) / width).astype(int).tolist()
                occupied[[min(number, count - 1) for number in numbers]] = True
        return occupied


def _predictions(values: Array) -> list[Prediction]:
    """Return the predictions of a block (rows, fields of Prediction)."""
    return [
        Prediction(
            at=at,
            horizon=horizon,
            model_id=int(model_id),
            probability=probability,
            baseline_probability=baseline_probability,
            threshold=threshold,
            warning=bool(warning),
            high_load_since=None if math.isnan(high_load_since) else high_load_since,
        )
        for (
            at,
            horizon,
            model_id,
            probability,
            baseline_probability,
            threshold,
            warning,
            high_load_since,
        ) in values.tolist()
    ]
