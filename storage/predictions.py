"""Prediction repository: predictions as published, kept as long as the samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Integer, bindparam, cast, delete, func, insert, select

from storage.database import Database
from storage.errors import DuplicateKeyError
from storage.queries import count_between, purge, purge_between, time_buckets
from storage.records import Prediction
from storage.schema import LOCAL_HOST_ID, predictions

_FIELDS = tuple(field.name for field in fields(Prediction))
_COLUMNS = predictions.c[_FIELDS]
_INSERT = insert(predictions)
_DELETE = delete(predictions).where(
    predictions.c.host_id == bindparam("key_host_id"),
    predictions.c.at == bindparam("key_at"),
    predictions.c.horizon == bindparam("key_horizon"),
)


class PredictionRepository:
    """Predictions for one host, safe to use from several threads.

    Every method raises StorageError if the database refuses the operation.
    """

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id

    def append(self, new: Sequence[Prediction]) -> None:
        """Store predictions in one transaction, replacing stored predictions with the same time and horizon."""
        if not new:
            return
        rows = [
            {"host_id": self._host_id, **{name: getattr(prediction, name) for name in _FIELDS}} for prediction in new
        ]
        try:
            with self._database.writing() as connection:
                connection.execute(_INSERT, rows)
        except DuplicateKeyError:
            keys = [{f"key_{name}": row[name] for name in ("host_id", "at", "horizon")} for row in rows]
            with self._database.writing() as connection:
                connection.execute(_DELETE, keys)
                connection.execute(_INSERT, rows)

    def between(self, start: float, end: float, horizon: float | None = None) -> list[Prediction]:
        """Return the predictions made at start < at <= end, ordered by time and horizon.

        Args:
            start: seconds since the epoch, exclusive.
            end: seconds since the epoch, inclusive.
            horizon: return predictions with this horizon (seconds) only; None for all horizons.
        """
        query = (
            select(*_COLUMNS)
            .where(predictions.c.host_id == self._host_id, predictions.c.at > start, predictions.c.at <= end)
            .order_by(predictions.c.at, predictions.c.horizon)
        )
        if horizon is not None:
            query = query.where(predictions.c.horizon == horizon)
        with self._database.reading() as connection:
            return [Prediction(*row) for row in connection.execute(query)]

    def bucket_maxima(self, start: float, width: float, count: int) -> dict[float, NDArray[np.float64]]:
        """Return the extremes of the predictions in each time bucket, computed by the database.

        Args:
            start: start of the first bucket, in seconds since the epoch.
            width: width of a bucket in seconds.
            count: number of buckets.

        Returns:
            Arrays (count, 4) by horizon in seconds, shortest horizon first. Columns: largest probability, mean
            baseline probability, smallest threshold, and 1 if a warning was active, else 0; NaN for an empty bucket.
        """
        column = predictions.c
        figures = (
            func.max(column.probability),
            func.avg(column.baseline_probability),
            func.min(column.threshold),
            func.max(cast(column.warning, Integer)),
        )
        maxima: dict[float, NDArray[np.float64]] = {}
        for bucket, conditions in time_buckets(predictions, self._host_id, start, width, count):
            query = select(column.horizon, bucket, *figures).where(*conditions).group_by(column.horizon, bucket)
            with self._database.reading() as connection:
                for horizon, number, *values in connection.execute(query):
                    table = maxima.setdefault(horizon, np.full((count, 4), np.nan))
                    table[min(number, count - 1)] = values
        return dict(sorted(maxima.items()))

    def last(self) -> list[Prediction]:
        """Return the predictions with the newest time, shortest horizon first; empty if none is stored."""
        own = predictions.c.host_id == self._host_id
        newest = select(func.max(predictions.c.at)).where(own).scalar_subquery()
        query = select(*_COLUMNS).where(own, predictions.c.at == newest).order_by(predictions.c.horizon)
        with self._database.reading() as connection:
            return [Prediction(*row) for row in connection.execute(query)]

    def next_time(self, after: float, horizon: float) -> float | None:
        """Return the time of the first prediction after a time, in seconds since the epoch; None if there is none.

        Args:
            after: seconds since the epoch, exclusive.
            horizon: prediction horizon in seconds.
        """
        query = select(func.min(predictions.c.at)).where(
            predictions.c.host_id == self._host_id, predictions.c.at > after, predictions.c.horizon == horizon
        )
        with self._database.reading() as connection:
            first: float | None = connection.scalar(query)
        return first

    def purge(self, before: float, batch: int = 5000) -> int:
        """Delete old predictions in short transactions.

        Args:
            before: predictions before this time (seconds since the epoch) are deleted.
            batch: rows selected in one transaction.

        Returns:
            The number of rows deleted.
        """
        return purge(self._database, predictions, self._host_id, before, batch)

    def count_between(self, start: float, end: float) -> int:
        """Return the number of predictions made at start <= at <= end, in seconds since the epoch."""
        return count_between(self._database, predictions, self._host_id, start, end)

    def purge_between(self, start: float, end: float) -> int:
        """Delete the predictions made at start <= at <= end (seconds since the epoch) and return their number."""
        return purge_between(self._database, predictions, self._host_id, start, end)

    def count(self) -> int:
        """Return the number of stored predictions."""
        query = select(func.count()).select_from(predictions).where(predictions.c.host_id == self._host_id)
        with self._database.reading() as connection:
            return connection.scalar(query) or 0
