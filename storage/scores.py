"""How good predictions were: sums by hour, and the stretches of high load with the time they were warned of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.sqlite import insert

from storage.database import Database
from storage.schema import LOCAL_HOST, onsets, scored, scores

KEY = ("host_id", "horizon", "hour", "high", "decile")
SUMS = tuple(column.name for column in scores.columns if column.name not in KEY)


class ScoreStore:
    """The scores of one host's predictions. Every method raises StorageError for what the database refuses."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST) -> None:
        self._database, self._host_id = database, host_id

    def add(
        self,
        horizon: float,
        until: float,
        tallies: Sequence[Mapping[str, Any]],
        stretches: Sequence[tuple[float, float | None]],
    ) -> None:
        """Adds what was found of the predictions up to a moment, and that they are done with; all or nothing.

        Args:
            horizon: seconds.
            until: seconds since the epoch: predictions up to here are not looked at again.
            tallies: an hour, state and decile each, with its sums, which are added to those that are there.
            stretches: when load became high, and how long before it was warned of (None: it was not).
        """
        key = {"host_id": self._host_id, "horizon": horizon}
        with self._database.writing() as connection:
            for row in tallies:
                new = insert(scores).values(**key, **row)
                more = {name: scores.c[name] + new.excluded[name] for name in SUMS}
                connection.execute(new.on_conflict_do_update(index_elements=KEY, set_=more))
            for at, lead in stretches:
                new = insert(onsets).values(**key, at=at, lead=lead)
                connection.execute(new.on_conflict_do_nothing())
            new = insert(scored).values(**key, until=until)
            connection.execute(
                new.on_conflict_do_update(index_elements=("host_id", "horizon"), set_={"until": new.excluded.until})
            )

    def progress(self) -> dict[float, float]:
        """Up to when (seconds) the predictions are done with, by horizon."""
        query = select(scored.c.horizon, scored.c.until).where(scored.c.host_id == self._host_id)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def since(self, horizon: float, start: float) -> list[dict[str, Any]]:
        """The sums of the hours that began at `start` (seconds) or later, added up over the hours.

        Returns:
            A mapping for each state and decile.
        """
        named = ("high", "decile")
        query = (
            select(*(scores.c[name] for name in named), *(func.sum(scores.c[name]).label(name) for name in SUMS))
            .where(scores.c.host_id == self._host_id, scores.c.horizon == horizon, scores.c.hour >= start)
            .group_by(*(scores.c[name] for name in named))
        )
        with self._database.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def leads(self, horizon: float, start: float) -> list[float | None]:
        """How long before each stretch of high load since `start` it was warned of; None where it was not."""
        query = select(onsets.c.lead).where(
            onsets.c.host_id == self._host_id, onsets.c.horizon == horizon, onsets.c.at >= start
        )
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def purge(self, before: float) -> None:
        """Deletes what is of predictions made before a moment; a few rows an hour were kept."""
        with self._database.writing() as connection:
            connection.execute(delete(scores).where(scores.c.host_id == self._host_id, scores.c.hour < before))
            connection.execute(delete(onsets).where(onsets.c.host_id == self._host_id, onsets.c.at < before))
