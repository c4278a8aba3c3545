"""Training-run repository: one record per training run, whatever its outcome."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select

from storage.database import Database
from storage.models.sealed_text import seal, unseal
from storage.records import TrainingOutcome, TrainingRun
from storage.rows import raw_rows, record_decoder
from storage.schema import LOCAL_HOST_ID, training_runs

_COLUMNS = training_runs.c["started_at", "finished_at", "outcome", "reason", "model_id", "report", "id"]
_DECODER = record_decoder(training_runs.name, TrainingRun, {"report_json": unseal})
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
            report=seal(run.report_json or "{}"),
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
        return self._first(self._newest())

    def last_success(self) -> TrainingRun | None:
        """Return the newest run whose model was promoted; None if there is none."""
        promoted = training_runs.c.outcome == TrainingOutcome.PROMOTED.value
        return self._first(self._newest().where(promoted))

    def last_trained(self) -> TrainingRun | None:
        """Return the newest run that trained a model, promoted or refused; None if there is none."""
        trained = training_runs.c.outcome.in_([TrainingOutcome.PROMOTED.value, TrainingOutcome.REFUSED.value])
        return self._first(self._newest().where(trained))

    def counts(self) -> dict[TrainingOutcome, int]:
        """Return the number of runs for each outcome; 0 for an outcome without runs."""
        query = (
            select(training_runs.c.outcome, func.count())
            .where(training_runs.c.host_id == self._host_id)
            .group_by(training_runs.c.outcome)
        )
        with self._database.reading() as connection:
            counts = {row[0]: row[1] for row in raw_rows(connection, query)}
        return {outcome: counts.get(outcome.value, 0) for outcome in TrainingOutcome}

    def history(self, limit: int = 50) -> list[TrainingRun]:
        """Return at most `limit` runs, newest first, without damaged rows."""
        with self._database.reading() as connection:
            return _DECODER.read_first(limit, self._database.damaged_rows, connection, self._newest())

    def _newest(self) -> Select[Any]:
        query = select(*_COLUMNS).where(training_runs.c.host_id == self._host_id)
        return query.order_by(training_runs.c.id.desc())

    def _first(self, query: Select[Any]) -> TrainingRun | None:
        """Return the first undamaged run of a query; None if there is none."""
        with self._database.reading() as connection:
            return _DECODER.first(self._database.damaged_rows, connection, query)
