"""Capacity repository: use of the resources of one host, predictions and their outcomes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields

from sqlalchemy import ColumnElement, Float, and_, bindparam, delete, func, literal, select, update

from storage.capacity.records import CapacityResource, CapacityRow
from storage.capacity.tables import capacity_resources, capacity_rows
from storage.database import Database
from storage.database.portable import insert_or_ignore, insert_or_update, whole_remainder
from storage.queries import purge, purge_between
from storage.rows import record_decoder, tuple_decoder
from storage.samples.arrays import Array, fetch_numbers, with_nan
from storage.schema import LOCAL_HOST_ID

OUTCOME_UNKNOWN = -1
"""Stored outcome of a prediction whose horizon has too few rows."""

BATCH = 5000

_RESOURCE_COLUMNS = capacity_resources.c[tuple(field.name for field in fields(CapacityResource))]
_ROW_COLUMNS = capacity_rows.c[tuple(field.name for field in fields(CapacityRow))]
_RESOURCES = record_decoder(capacity_resources.name, CapacityResource)
_ROWS = record_decoder(capacity_rows.name, CapacityRow, key=2)
_TIME = tuple_decoder(capacity_rows.name, float)

PREDICTED = ("resource_id", "at", "probability", "model_probability", "predict_linear", "persistence", "base_rate")
"""Columns of `CapacityRepository.predictions` before the outcome."""


class CapacityRepository:
    """Use and predictions for the resources of one host. A refused operation raises StorageError."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id
        self._own = capacity_rows.c.host_id == host_id
        self._own_resources = capacity_resources.c.host_id == host_id

    def resource_id(self, kind: str, name: str, identity: str, now: float) -> int:
        """Return the ID of a resource, which is stored if it is new, and record that it exists at `now`."""
        key = {"host_id": self._host_id, "kind": kind, "name": name, "identity": identity}
        with self._database.writing() as connection:
            seen = insert_or_update(connection, capacity_resources, tuple(key), ("seen_at",))
            seen = seen.values(**key, seen_at=now)
            stored: int = connection.execute(seen.returning(capacity_resources.c.id)).scalar_one()
        return stored

    def resources(self, since: float) -> list[CapacityResource]:
        """Return the resources with rows since a time (seconds since the epoch), by kind and name."""
        query = (
            select(*_RESOURCE_COLUMNS)
            .where(self._own_resources, capacity_resources.c.seen_at >= since)
            .order_by(capacity_resources.c.kind, capacity_resources.c.name, capacity_resources.c.seen_at)
        )
        with self._database.reading() as connection:
            return _RESOURCES.read(self._database.damaged_rows, connection, query)

    def add(self, rows: Sequence[CapacityRow]) -> None:
        """Store rows in one transaction; a stored row of the same resource and time is kept."""
        if not rows:
            return
        values = [{"host_id": self._host_id, **asdict(row)} for row in rows]
        with self._database.writing() as connection:
            connection.execute(insert_or_ignore(connection, capacity_rows), values)

    def last(self, resource_id: int, until: float) -> CapacityRow | None:
        """Return the newest row of a resource up to a time (seconds since the epoch); None if there is none."""
        query = (
            select(*_ROW_COLUMNS)
            .where(self._own, capacity_rows.c.resource_id == resource_id, capacity_rows.c.at <= until)
            .order_by(capacity_rows.c.at.desc())
        )
        with self._database.reading() as connection:
            return _ROWS.first(self._database.damaged_rows, connection, query)

    def first_at(self, resource_id: int, since: float) -> float | None:
        """Return the time of the first row of a resource since a time (seconds since the epoch); None without any."""
        row = capacity_rows.c
        query = select(row.at).where(self._own, row.resource_id == resource_id, row.at >= since).order_by(row.at)
        with self._database.reading() as connection:
            first = _TIME.first(self._database.damaged_rows, connection, query)
        return None if first is None else float(first[0])

    def usage(self, resource_id: int, since: float, until: float) -> Array:
        """Return (rows, 4) with time, use, peak and size of a resource, for since <= at <= until, ordered by time."""
        row = capacity_rows.c
        query = (
            select(row.at, row.used, row.peak, row.size)
            .where(self._own, row.resource_id == resource_id, row.at >= since, row.at <= until)
            .order_by(row.at)
        )
        with self._database.reading() as connection:
            return fetch_numbers(connection, query, self._database.damaged_rows, 4, table=capacity_rows.name)

    def pending(self, resource_id: int, until: float) -> Array:
        """Return (rows, 2) with time and limit of the predictions up to a time whose outcome is not stored."""
        row = capacity_rows.c
        query = (
            select(row.at, row.limit_ratio * row.size)
            .where(self._own, row.resource_id == resource_id, row.at <= until)
            .where(row.probability.is_not(None), row.limit_ratio.is_not(None), row.outcome.is_(None))
            .order_by(row.at)
        )
        with self._database.reading() as connection:
            return fetch_numbers(connection, query, self._database.damaged_rows, 2, table=capacity_rows.name)

    def set_outcomes(self, resource_id: int, outcomes: Mapping[float, int]) -> None:
        """Store the outcome of each prediction of a resource, by its time, in one transaction."""
        if not outcomes:
            return
        row = capacity_rows.c
        statement = (
            update(capacity_rows)
            .where(self._own, row.resource_id == resource_id, row.at == bindparam("prediction_at"))
            .values(outcome=bindparam("known_outcome"))
        )
        values = [{"prediction_at": at, "known_outcome": outcome} for at, outcome in outcomes.items()]
        with self._database.writing() as connection:
            connection.execute(statement, values)

    def predictions(self, kind: str, since: float, every: float) -> Array:
        """Return the predictions of one kind whose outcome was determined, thinned by time.

        Predictions at the limit are left out: their outcome is certain.

        Args:
            kind: kind of the resources.
            since: seconds since the epoch, inclusive.
            every: seconds; of each multiple of them, the first five minutes are read.

        Returns:
            (rows, PREDICTED + 1) the columns PREDICTED and the outcome, NaN if unknown; in order of time.
        """
        row = capacity_rows.c
        missing = bindparam("missing", math.inf, Float)
        outcome = func.coalesce(func.nullif(row.outcome, literal(OUTCOME_UNKNOWN)), missing)
        query = (
            select(*(func.coalesce(row[name], missing) for name in PREDICTED), outcome)
            .join(capacity_resources, _same_resource())
            .where(self._own, capacity_resources.c.kind == kind, row.at >= since)
            .where(row.outcome.is_not(None), whole_remainder(row.at, every) < literal(300.0))
            .where(row.used < row.limit_ratio * row.size)
            .order_by(row.at)
        )
        width = len(PREDICTED) + 1
        with self._database.reading() as connection:
            damaged = self._database.damaged_rows
            return with_nan(fetch_numbers(connection, query, damaged, width, table=capacity_rows.name))

    def purge(self, before: float) -> int:
        """Delete the rows before a time (seconds since the epoch), and resources without any; return the number."""
        deleted = purge(self._database, capacity_rows, self._host_id, before, BATCH)
        self._delete_resources(capacity_resources.c.seen_at < before)
        return deleted

    def purge_between(self, start: float, end: float) -> int:
        """Delete the rows with start <= at <= end, and resources without rows; return the number of rows."""
        deleted = purge_between(self._database, capacity_rows, self._host_id, start, end)
        self._delete_resources(capacity_resources.c.seen_at <= end)
        return deleted

    def _delete_resources(self, condition: ColumnElement[bool]) -> None:
        """Delete the resources that match a condition and have no rows."""
        stored = select(capacity_rows.c.resource_id).where(self._own)
        unused = capacity_resources.c.id.not_in(stored)
        with self._database.writing() as connection:
            connection.execute(delete(capacity_resources).where(self._own_resources, condition, unused))


def _same_resource() -> ColumnElement[bool]:
    resources, rows = capacity_resources.c, capacity_rows.c
    return and_(resources.host_id == rows.host_id, resources.id == rows.resource_id)
