"""Training-run repository: one record per training run, whatever its outcome."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, bindparam, func, insert, select

from storage.database import Database
from storage.records import TrainingOutcome, TrainingRun
from storage.schema import LOCAL_HOST_ID, training_runs

_COLUMNS = training_runs.c["started_at", "finished_at", "outcome", "reason", "model_id", "report", "id"]
_LAST_ID = select(func.max(training_runs.c.id)).where(training_runs.c.host_id == bindparam("host_id"))


class TrainingRunRepository:
    """Training runs of one host. Every method raises StorageError if the database refuses the operation."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id

    def append(self, run: TrainingRun) -> int:
        """Store a run and return the ID assigned by the database; `run.id` is ignored."""
        query = insert(training_runs).values(
            host_id=self._host_id,
            started_at=run.started_at,
            finished_at=run.finished_at,
            outcome=run.outcome.value,
            reason=run.reason,
            model_id=run.model_id,
            report=run.report_json,
        )
        with self._database.writing() as connection:
            return int(connection.execute(query.returning(training_runs.c.id)).scalar_one())

    def last_id(self) -> int | None:
        """Return the ID of the newest run; None if there is none. Cheap enough for every sampling cycle."""
        with self._database.reading() as connection:
            run_id: int | None = connection.scalar(_LAST_ID, {"host_id": self._host_id})
        return run_id

    def last(self) -> TrainingRun | None:
        """Return the newest run; None if there is none."""
        return next(iter(self.history(limit=1)), None)

    def last_success(self) -> TrainingRun | None:
        """Return the newest run whose model was promoted; None if there is none."""
        promoted = training_runs.c.outcome == TrainingOutcome.PROMOTED.value
        return next(iter(self._read(self._newest(1).where(promoted))), None)

    def last_trained(self) -> TrainingRun | None:
        """Return the newest run that trained a model, promoted or refused; None if there is none."""
        trained = training_runs.c.outcome.in_([TrainingOutcome.PROMOTED.value, TrainingOutcome.REFUSED.value])
        return next(iter(self._read(self._newest(1).where(trained))), None)

    def counts(self) -> dict[TrainingOutcome, int]:
        """Return the number of runs for each outcome; 0 for an outcome without runs."""
        query = (
            select(training_runs.c.outcome, func.count())
            .where(training_runs.c.host_id == self._host_id)
            .group_by(training_runs.c.outcome)
        )
        with self._database.reading() as connection:
            counts = {row[0]: row[1] for row in connection.execute(query)}
        return {outcome: counts.get(outcome.value, 0) for outcome in TrainingOutcome}

    def history(self, limit: int = 50) -> list[TrainingRun]:
        """Return at most `limit` runs, newest first."""
        return self._read(self._newest(limit))

    def _newest(self, limit: int) -> Select[Any]:
        query = select(*_COLUMNS).where(training_runs.c.host_id == self._host_id)
        return query.order_by(training_runs.c.id.desc()).limit(limit)

    def _read(self, query: Select[Any]) -> list[TrainingRun]:
        with self._database.reading() as connection:
            return [_run(row) for row in connection.execute(query)]


def _run(row: Row[Any]) -> TrainingRun:
    return TrainingRun(
        started_at=row.started_at,
        finished_at=row.finished_at,
        outcome=TrainingOutcome(row.outcome),
        reason=row.reason,
        model_id=row.model_id,
        report_json=row.report,
        id=row.id,
    )
