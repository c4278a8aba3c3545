"""Score repository: hourly sums over scored predictions, onsets with lead times, and scoring progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, case, delete, func, literal, select

from storage.database import Database
from storage.database.portable import insert_or_ignore, insert_or_update
from storage.records import Onset, ScoreRow
from storage.rows import record_decoder, tuple_decoder
from storage.schema import (
    LOCAL_HOST_ID,
    onsets,
    replayed_onsets,
    replayed_score_totals,
    score_totals,
    scoring_progress,
)

HOUR = 3600.0
"""Length, in seconds, of the interval that one row of sums covers."""

_KEY = ("host_id", "horizon", "hour", "high_load", "decile")
_GROUP = ("high_load", "decile")
_PROGRESS = tuple_decoder(scoring_progress.name, float, float)
_SUMS = tuple(field.name for field in fields(ScoreRow) if field.name not in _KEY)


class ScoreRepository:
    """Scores of the predictions for one host.

    Every method raises StorageError if the database refuses the operation.
    """

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID, *, replayed: bool = False) -> None:
        """Initialize for the scores of the live or the replayed predictions of one host.

        Args:
            database: open database.
            host_id: ID of the host.
            replayed: access the scores of replayed predictions instead of live predictions.
        """
        self._database = database
        self._host_id = host_id
        self._totals = replayed_score_totals if replayed else score_totals
        self._onsets = replayed_onsets if replayed else onsets
        self._row = record_decoder(self._totals.name, ScoreRow)
        self._number = tuple_decoder(self._totals.name, float)
        self._onset = record_decoder(self._onsets.name, Onset)

    def add(self, horizon: float, scored_until: float, rows: Sequence[ScoreRow], new_onsets: Sequence[Onset]) -> None:
        """Add newly scored predictions and advance the scoring progress in one transaction.

        Args:
            horizon: prediction horizon in seconds.
            scored_until: live predictions up to this time (seconds since the epoch) are not scored again.
            rows: sums to add to the stored sums with the same hour, load state and probability bin.
            new_onsets: starts of high-load periods; a stored onset with the same time is kept.
        """
        with self._database.writing() as connection:
            self._add_sums(connection, horizon, rows, new_onsets)
            query = insert_or_update(connection, scoring_progress, ("host_id", "horizon"), ("scored_until",))
            values = {"host_id": self._host_id, "horizon": horizon, "scored_until": scored_until}
            connection.execute(query, values)

    def add_replayed(self, horizon: float, rows: Sequence[ScoreRow], new_onsets: Sequence[Onset]) -> None:
        """Add scored predictions of a replay in one transaction, without a change of the scoring progress.

        Args:
            horizon: prediction horizon in seconds.
            rows: sums to add to the stored sums with the same hour, load state and probability bin.
            new_onsets: starts of high-load periods; a stored onset with the same time is kept.
        """
        with self._database.writing() as connection:
            self._add_sums(connection, horizon, rows, new_onsets)

    def horizons(self) -> list[float]:
        """Return the horizons (seconds) with scored predictions, shortest first."""
        column = self._totals.c
        query = select(column.horizon).where(column.host_id == self._host_id).distinct().order_by(column.horizon)
        with self._database.reading() as connection:
            rows = self._number.read(self._database.damaged_rows, connection, query)
        return [horizon for (horizon,) in rows]

    def scored_until(self) -> dict[float, float]:
        """Return the end of the scored period (seconds since the epoch) for each horizon (seconds)."""
        progress = scoring_progress.c
        query = select(progress.horizon, progress.scored_until).where(progress.host_id == self._host_id)
        with self._database.reading() as connection:
            rows = _PROGRESS.read(self._database.damaged_rows, connection, query)
        return dict(rows)

    def totals_since(self, horizon: float, start: float) -> list[ScoreRow]:
        """Return the sums over all hours since a time: one row (hour = `start`) per load state and probability bin.

        Args:
            horizon: prediction horizon in seconds.
            start: seconds since the epoch; hours that began earlier are left out.
        """
        hour = literal(start).label("hour")
        group = [self._totals.c[name] for name in _GROUP]
        sums = [_sum(self._totals.c[name]).label(name) for name in _SUMS]
        query = (
            select(hour, *group, *sums)
            .where(
                self._totals.c.host_id == self._host_id,
                self._totals.c.horizon == horizon,
                self._totals.c.hour >= start,
            )
            .group_by(*group)
        )
        with self._database.reading() as connection:
            return self._row.read(self._database.damaged_rows, connection, query)

    def scored_hours(self, horizon: float, start: float) -> list[float]:
        """Return the starts of the hours (seconds since the epoch) since a time that have scored predictions.

        Args:
            horizon: prediction horizon in seconds.
            start: seconds since the epoch, inclusive.
        """
        column = self._totals.c
        chosen = (column.host_id == self._host_id, column.horizon == horizon, column.hour >= start, column.scored > 0)
        query = select(column.hour).where(*chosen).distinct().order_by(column.hour)
        with self._database.reading() as connection:
            rows = self._number.read(self._database.damaged_rows, connection, query)
        return [hour for (hour,) in rows]

    def onsets_since(self, horizon: float, start: float) -> list[Onset]:
        """Return the onsets since a time, in time order.

        Args:
            horizon: prediction horizon in seconds.
            start: seconds since the epoch, inclusive.
        """
        column = self._onsets.c
        query = (
            select(column.at, column.lead_time)
            .where(column.host_id == self._host_id, column.horizon == horizon, column.at >= start)
            .order_by(column.at)
        )
        with self._database.reading() as connection:
            return self._onset.read(self._database.damaged_rows, connection, query)

    def purge(self, before: float) -> None:
        """Delete old sums and onsets in one transaction; unlike samples, they are few.

        Args:
            before: seconds since the epoch; earlier onsets, and hours that started earlier, are deleted.
        """
        old_totals = (self._totals.c.host_id == self._host_id, self._totals.c.hour < before)
        old_onsets = (self._onsets.c.host_id == self._host_id, self._onsets.c.at < before)
        with self._database.writing() as connection:
            connection.execute(delete(self._totals).where(*old_totals))
            connection.execute(delete(self._onsets).where(*old_onsets))

    def purge_between(self, start: float, end: float) -> None:
        """Delete the sums of the hours that lie entirely within a period, and the onsets in the period.

        The sums of an hour that overlaps the period only in part are kept, because they cannot be split.

        Args:
            start: seconds since the epoch, inclusive.
            end: seconds since the epoch, inclusive.
        """
        hour = self._totals.c.hour
        whole_hours = (self._totals.c.host_id == self._host_id, hour >= start, hour <= end - HOUR)
        inside = (self._onsets.c.host_id == self._host_id, self._onsets.c.at >= start, self._onsets.c.at <= end)
        with self._database.writing() as connection:
            connection.execute(delete(self._totals).where(*whole_hours))
            connection.execute(delete(self._onsets).where(*inside))

    def _add_sums(
        self, connection: Connection, horizon: float, rows: Sequence[ScoreRow], new_onsets: Sequence[Onset]
    ) -> None:
        key = {"host_id": self._host_id, "horizon": horizon}
        if rows:
            query = insert_or_update(connection, self._totals, _KEY, (), added=_SUMS)
            connection.execute(query, [{**key, **asdict(row)} for row in rows])
        if new_onsets:
            query = insert_or_ignore(connection, self._onsets)
            connection.execute(query, [{**key, **asdict(onset)} for onset in new_onsets])


def _sum(column: Column[Any]) -> ColumnElement[Any]:
    """Return the sum over a column; NULL if one of its values is NULL."""
    return case((func.count() == func.count(column), func.sum(column)))
