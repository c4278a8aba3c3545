"""What was predicted, for scoring it against what then happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, delete, func, insert, select

from storage.database import Database
from storage.errors import DuplicateKeyError
from storage.queries import RowInserter, purge, slots
from storage.records import Prediction
from storage.schema import LOCAL_HOST_ID, predictions

_NAMES = tuple(field.name for field in fields(Prediction))
_COLUMNS = predictions.c[_NAMES]
_INSERT = insert(predictions)
_FEW = 64
"""Rows that go in one statement; SQLite takes some thousand values in one."""
_DELETE = delete(predictions).where(
    predictions.c.host_id == bindparam("key_host_id"),
    predictions.c.at == bindparam("key_at"),
    predictions.c.horizon == bindparam("key_horizon"),
)


class PredictionRepository:
    """The predictions for one host. Safe to use from several threads.

    Every method raises StorageError for what the database refuses.
    """

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id
        self._commit = RowInserter(database, predictions)

    def append(self, new: Sequence[Prediction]) -> None:
        """Commits predictions together; one for the same moment and horizon as an older one replaces it."""
        if not new:
            return
        rows = [
            {"host_id": self._host_id, **{name: getattr(prediction, name) for name in _NAMES}} for prediction in new
        ]
        try:
            if len(rows) <= _FEW:
                self._commit(*rows)
            else:
                with self._database.writing() as connection:
                    connection.execute(_INSERT, rows)
        except DuplicateKeyError:
            keys = [{f"key_{name}": row[name] for name in ("host_id", "at", "horizon")} for row in rows]
            with self._database.writing() as connection:
                connection.execute(_DELETE, keys)
                connection.execute(_INSERT, rows)

    def between(self, start: float, end: float, horizon: float | None = None) -> list[Prediction]:
        """The predictions made at start < at <= end, in the order of time and horizon.

        Args:
            start: seconds since the epoch, excluded.
            end: seconds since the epoch, included.
            horizon: only those for this many seconds ahead.
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
        """The most that was predicted in each of some stretches of time, worked out by the database.

        Args:
            start: seconds since the epoch at which the first begins.
            width: seconds of each.
            count: how many.

        Returns:
            By horizon (seconds), shortest first: array (count, 4) of the largest probability, the mean baseline, the
            smallest threshold, and the most by which a probability exceeded its threshold; NaN where none was made.
        """
        row = predictions.c
        figures = (
            func.max(row.probability),
            func.avg(row.baseline_probability),
            func.min(row.threshold),
            func.max(row.probability - row.threshold),
        )
        found: dict[float, NDArray[np.float64]] = {}
        for slot, within in slots(predictions, self._host_id, start, width, count):
            query = select(row.horizon, slot, *figures).where(*within).group_by(row.horizon, slot)
            with self._database.reading() as connection:
                for horizon, number, *values in connection.execute(query):
                    table = found.setdefault(horizon, np.full((count, 4), np.nan))
                    table[min(number, count - 1)] = values
        return dict(sorted(found.items()))

    def last(self) -> list[Prediction]:
        """The predictions of the newest moment, all horizons, shortest first; empty while there are none."""
        host = predictions.c.host_id == self._host_id
        newest = select(func.max(predictions.c.at)).where(host).scalar_subquery()
        query = select(*_COLUMNS).where(host, predictions.c.at == newest).order_by(predictions.c.horizon)
        with self._database.reading() as connection:
            return [Prediction(*row) for row in connection.execute(query)]

    def next_time(self, after: float, horizon: float) -> float | None:
        """When the first prediction for this horizon after a moment (seconds) was made, or None."""
        query = select(func.min(predictions.c.at)).where(
            predictions.c.host_id == self._host_id, predictions.c.at > after, predictions.c.horizon == horizon
        )
        with self._database.reading() as connection:
            found: float | None = connection.scalar(query)
        return found

    def purge(self, before: float, batch: int = 5000) -> int:
        """Deletes the predictions made before a moment, a bounded batch of moments a transaction.

        Args:
            before: seconds since the epoch.
            batch: rows looked at in one transaction; those of its last moment are deleted together.

        Returns:
            The number of rows deleted.
        """
        return purge(self._database, predictions, self._host_id, before, batch)

    def count(self) -> int:
        """How many predictions there are."""
        query = select(func.count()).select_from(predictions).where(predictions.c.host_id == self._host_id)
        with self._database.reading() as connection:
            return connection.scalar(query) or 0
