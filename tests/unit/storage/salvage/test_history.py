"""Salvaged history."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from storage import (
    Database,
    ModelPart,
    ModelRegistry,
    QuarantinedModel,
    TrainingOutcome,
    TrainingRun,
    TrainingRunRepository,
    open_database,
)
from storage.salvage import merge_history
from storage.schema import activations, training_runs

pytestmark = pytest.mark.unit


def run(started_at: float, model_id: int | None = None) -> TrainingRun:
    return TrainingRun(started_at, started_at + 1, TrainingOutcome.PROMOTED, "", model_id, '{"run": 1}')


@pytest.fixture
def source() -> Iterator[Database]:
    """Two activated models, a quarantined third one, and two training runs."""
    with open_database("sqlite://") as database:
        registry = ModelRegistry(database)
        for number in range(3):
            registry.promote(registry.register(b"model %d" % number, "{}", 10.0), 100.0 + number)
        registry.quarantine(QuarantinedModel(3, ModelPart.PREDICTOR, 110.0, "failed", "it failed"))
        for started_at in (20.0, 40.0):
            TrainingRunRepository(database).append(run(started_at, 2))
        yield database


def activated(database: Database) -> list[tuple[int, float, bool]]:
    query = select(activations.c.model_id, activations.c.at, activations.c.undone).order_by(activations.c.id)
    with database.reading() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def test_merge_history_stores_rows_with_the_models_of_the_target(source: Database, database: Database) -> None:
    counts = merge_history(source, database, {1: 11, 2: 12, 3: 13})
    assert counts.recovered == {"training_runs": 2, "activations": 3, "quarantined_models": 1}
    assert activated(database) == [(11, 100.0, False), (12, 101.0, False), (13, 102.0, True)]
    assert [entry.model_id for entry in ModelRegistry(database).quarantined()] == [13]
    assert [entry.model_id for entry in TrainingRunRepository(database).history()] == [12, 12]


def test_merge_history_again_changes_nothing(source: Database, database: Database) -> None:
    merge_history(source, database, {1: 11, 2: 12, 3: 13})
    counts = merge_history(source, database, {1: 11, 2: 12, 3: 13})
    assert not counts.recovered
    assert counts.skipped == {"training_runs": 2, "activations": 3, "quarantined_models": 1}


def test_merge_history_orders_ids_by_time_and_keeps_the_active_model(source: Database, database: Database) -> None:
    registry = ModelRegistry(database)
    registry.promote(registry.register(b"newer", "{}", 200.0), 200.0)
    runs = TrainingRunRepository(database)
    runs.append(run(30.0))
    runs.append(run(50.0))
    merge_history(source, database, {1: 11, 2: 12})
    assert registry.active_id() == 1
    assert activated(database) == [(11, 100.0, False), (12, 101.0, False), (1, 200.0, False)]
    assert [entry.started_at for entry in runs.history()] == [50.0, 40.0, 30.0, 20.0]
    assert runs.append(run(60.0)) == runs.last_id()


def test_merge_history_skips_rows_about_a_lost_model(source: Database, database: Database) -> None:
    counts = merge_history(source, database, {1: 11})
    assert counts.recovered == {"training_runs": 2, "activations": 1}
    assert counts.skipped == {"activations": 2, "quarantined_models": 1}
    assert [entry.model_id for entry in TrainingRunRepository(database).history()] == [None, None]


def test_merge_history_counts_damaged_rows(source: Database, database: Database) -> None:
    with source.writing() as connection:
        connection.execute(update(training_runs).where(training_runs.c.id == 1).values(report="{}"))
        connection.exec_driver_sql("UPDATE activations SET at = 'noon' WHERE id = 1")
    counts = merge_history(source, database, {1: 11, 2: 12, 3: 13})
    assert counts.damaged == {"training_runs": 1, "activations": 1}
