"""Prediction repository: predictions as published, kept as long as the samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Integer, Select, Table, bindparam, cast, delete, func, insert, select

from storage.database import Database
from storage.errors import DuplicateKeyError
from storage.queries import bucket_chunks, bucket_number, count_between, in_chunk, purge, purge_between
from storage.records import Prediction
from storage.rows import record_decoder, tuple_decoder
from storage.schema import LOCAL_HOST_ID, predictions, replayed_predictions

_BUCKETS = tuple_decoder(predictions.name, float, int, float, float, float, float)
_FIELDS = tuple(field.name for field in fields(Prediction))


def _bucket_maxima(table: Table) -> Select[Any]:
    """Build the query of `PredictionRepository.bucket_maxima`."""
    bucket = bucket_number(table).label("bucket")
    figures = (
        func.max(table.c.probability),
        func.avg(table.c.baseline_probability),
        func.min(table.c.threshold),
        func.max(cast(table.c.warning, Integer)),
    )
    return select(table.c.horizon, bucket, *figures).where(*in_chunk(table)).group_by(table.c.horizon, bucket)


_BUCKET_MAXIMA = {table.name: _bucket_maxima(table) for table in (predictions, replayed_predictions)}


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
        self._table = replayed_predictions if replayed else predictions
        self._columns = self._table.c[_FIELDS]
        self._own = self._table.c.host_id == host_id
        self._decoder = record_decoder(self._table.name, Prediction, key=2)

    def append(self, new: Sequence[Prediction]) -> None:
        """Store predictions in one transaction, replacing stored predictions with the same time and horizon."""
        if not new:
            return
        try:
            with self._database.writing() as connection:
                insert_predictions(connection, self._host_id, new, self._table)
        except DuplicateKeyError:
            with self._database.writing() as connection:
                replace_predictions(connection, self._host_id, new, self._table)

    def between(self, start: float, end: float, horizon: float | None = None) -> list[Prediction]:
        """Return the predictions made at start < at <= end, ordered by time and horizon.

        Args:
            start: seconds since the epoch, exclusive.
            end: seconds since the epoch, inclusive.
            horizon: return predictions with this horizon (seconds) only; None for all horizons.
        """
        column = self._table.c
        query = (
            select(*self._columns)
            .where(self._own, column.at > start, column.at <= end)
            .order_by(column.at, column.horizon)
        )
        if horizon is not None:
            query = query.where(column.horizon == horizon)
        with self._database.reading() as connection:
            return self._decoder.read(self._database.damaged_rows, connection, query)

    def bucket_maxima(self, start: float, width: float, count: int) -> dict[float, NDArray[np.float64]]:
        """Return aggregates of the predictions in each time bucket, computed by the database.

        Args:
            start: start of the first bucket, in seconds since the epoch.
            width: width of a bucket in seconds.
            count: number of buckets.

        Returns:
            Array (count, 4) for each horizon in seconds, shortest horizon first. Columns: largest probability, mean
            baseline probability, smallest threshold, and 1 if a warning was active, else 0; NaN for an empty bucket.
        """
        query = _BUCKET_MAXIMA[self._table.name]
        maxima: dict[float, NDArray[np.float64]] = {}
        for chunk in bucket_chunks(self._host_id, start, width, count):
            with self._database.reading() as connection:
                for horizon, number, *values in _BUCKETS.read(
                    self._database.damaged_rows, connection, query, **chunk
                ):
                    table = maxima.setdefault(horizon, np.full((count, 4), np.nan))
                    table[min(number, count - 1)] = values
        return dict(sorted(maxima.items()))

    def last(self) -> list[Prediction]:
        """Return the predictions with the newest time, shortest horizon first; empty if none is stored."""
        column = self._table.c
        # The condition leaves out times of another type, which SQLite sorts after all numbers.
        newest = select(func.max(column.at)).where(self._own, column.at <= math.inf).scalar_subquery()
        query = select(*self._columns).where(self._own, column.at == newest).order_by(column.horizon)
        with self._database.reading() as connection:
            return self._decoder.read(self._database.damaged_rows, connection, query)

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
        return first

    def purge(self, before: float, batch: int = 5000) -> int:
        """Delete old predictions in short transactions.

        Args:
            before: predictions before this time (seconds since the epoch) are deleted.
            batch: number of rows selected in one transaction.

        Returns:
            The number of rows deleted.
        """
        return purge(self._database, self._table, self._host_id, before, batch)

    def count_between(self, start: float, end: float) -> int:
        """Return the number of predictions made at start <= at <= end, in seconds since the epoch."""
        return count_between(self._database, self._table, self._host_id, start, end)

    def purge_between(self, start: float, end: float) -> int:
        """Delete the predictions made at start <= at <= end (seconds since the epoch) and return their number."""
        return purge_between(self._database, self._table, self._host_id, start, end)

    def count(self) -> int:
        """Return the number of stored predictions."""
        query = select(func.count()).select_from(self._table).where(self._own)
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

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
                occupied[[min(number, count - 1) for number in connection.scalars(query, chunk)]] = True
        return occupied


def insert_predictions(
    connection: Connection, host_id: int, new: Sequence[Prediction], table: Table = predictions
) -> None:
    """Insert predictions; there may be none.

    Args:
        connection: connection in a writing transaction.
        host_id: ID of the host.
        new: predictions.
        table: table of live or of replayed predictions.
    """
    if new:
        connection.execute(insert(table), [_row(host_id, prediction) for prediction in new])


def replace_predictions(
    connection: Connection, host_id: int, new: Sequence[Prediction], table: Table = predictions
) -> None:
    """Insert predictions in place of stored ones with the same time and horizon; see `insert_predictions`."""
    rows = list({(prediction.at, prediction.horizon): _row(host_id, prediction) for prediction in new}.values())
    if rows:
        keys = [{f"key_{name}": row[name] for name in ("host_id", "at", "horizon")} for row in rows]
        same_key = (
            table.c.host_id == bindparam("key_host_id"),
            table.c.at == bindparam("key_at"),
            table.c.horizon == bindparam("key_horizon"),
        )
        connection.execute(delete(table).where(*same_key), keys)
        connection.execute(insert(table), rows)


def _row(host_id: int, prediction: Prediction) -> dict[str, object]:
    return {"host_id": host_id, **{name: getattr(prediction, name) for name in _FIELDS}}
