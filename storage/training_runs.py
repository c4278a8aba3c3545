"""The record of every training, whatever came of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select

from storage.database import Database
from storage.queries import ScalarQuery
from storage.records import TrainingOutcome, TrainingRun
from storage.schema import LOCAL_HOST_ID, training_runs

_COLUMNS = training_runs.c["started_at", "finished_at", "outcome", "reason", "model_id", "report", "id"]
_LAST_ID = select(func.max(training_runs.c.id)).where(training_runs.c.host_id == bindparam("host_id"))


class TrainingRunRepository:
    """The trainings for one host. Every method raises StorageError for what the database refuses."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id
        self._read_last_id = ScalarQuery(database, _LAST_ID)

    def append(self, run: TrainingRun) -> int:
        """Records a run and returns its id; the id that it carries is ignored."""
        values = asdict(run)
        del values["id"]
        values["report"] = values.pop("report_json")
        with self._database.writing() as connection:
            query = insert(training_runs).values(host_id=self._host_id, **values).returning(training_runs.c.id)
            return int(connection.execute(query).scalar_one())

    def last_id(self) -> int | None:
        """The id of the newest run, or None before the first. Cheap enough to ask for often."""
        found: int | None = self._read_last_id(self._host_id)
        return found

    def last(self) -> TrainingRun | None:
        """The newest run, or None before the first."""
        return next(iter(self.history(limit=1)), None)

    def last_success(self) -> TrainingRun | None:
        """The newest run whose model was promoted, or None."""
        return next(iter(self._runs(self._newest(1).where(training_runs.c.outcome == "promoted"))), None)

    def counts(self) -> dict[TrainingOutcome, int]:
        """How many runs ended in each way; every way is there, with 0 if none did."""
        query = (
            select(training_runs.c.outcome, func.count())
            .where(training_runs.c.host_id == self._host_id)
            .group_by(training_runs.c.outcome)
        )
        with self._database.reading() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return {outcome: found.get(outcome, 0) for outcome in TrainingOutcome}

    def history(self, limit: int = 50) -> list[TrainingRun]:
        """The newest runs, newest first."""
        return self._runs(self._newest(limit))

    def _newest(self, limit: int) -> Select[Any]:
        query = select(*_COLUMNS).where(training_runs.c.host_id == self._host_id)
        return query.order_by(training_runs.c.id.desc()).limit(limit)

    def _runs(self, query: Select[Any]) -> list[TrainingRun]:
        with self._database.reading() as connection:
            return [_record(*row) for row in connection.execute(query)]


def _record(
    started_at: float, finished_at: float, outcome: str, reason: str, model_id: int | None, report: str, run_id: int
) -> TrainingRun:
    return TrainingRun(
        started_at=started_at,
        finished_at=finished_at,
        outcome=TrainingOutcome(outcome),
        reason=reason,
        model_id=model_id,
        report_json=report,
        id=run_id,
    )
