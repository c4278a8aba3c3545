"""Copy of a database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, select

from storage import (
    AnomalyRecord,
    AnomalyRepository,
    Compactor,
    Database,
    ModelRegistry,
    Notification,
    NotificationRepository,
    Prediction,
    PredictionRepository,
    Sample,
    SampleRepository,
    TrainingOutcome,
    TrainingRun,
    TrainingRunRepository,
    open_database,
)
from storage.schema import anomalies, metadata
from storage.transfer import TargetNotEmptyError, VerificationError, copy_database
from tests.postgresql import PostgresServer

pytestmark = pytest.mark.unit

START = 1_750_000_000.0 - 1_750_000_000.0 % 3600


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Database]:
    """A history with two compressed hours."""
    with open_database(f"sqlite:///{tmp_path}/source.db") as opened:
        fill(opened)
        yield opened


def fill(database: Database) -> None:
    times = [START + 60.0 * number for number in range(150)]
    SampleRepository(database).append_many(Sample(at, cpu_usage=0.25, disk_read=1.0) for at in times)
    predictions = [Prediction(at, 300.0, 1, 0.5, 0.1, 0.6, at > START, None) for at in times]
    PredictionRepository(database).append(predictions)
    registry = ModelRegistry(database)
    registry.register(b"pruned", "{}", 1.0)
    registry.promote(registry.register(b"model", '{"a": "ä"}', 2.0, b"detector"), 3.0)
    registry.set_fallbacks(2, {"300.0": {"high": "persistence"}})
    TrainingRunRepository(database).append(TrainingRun(1.0, 2.0, TrainingOutcome.PROMOTED, "", 2, "{}"))
    AnomalyRepository(database).add(AnomalyRecord(START, None, 0.9, START, "spike", {"cpu_usage": 1.0}, 2))
    NotificationRepository(database).save([Notification("k", "mail", "i", "raised", 1.0, '{"x": 1}')])
    for name in ("samples", "predictions"):
        while Compactor(database).compact_next(name, 0.0, START + 7200.0):
            pass


def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.reading() as connection:
        tables = metadata.sorted_tables
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in tables
        }


def test_copy_has_all_rows_of_all_tables(source: Database, database: Database) -> None:
    progress: list[tuple[str, int, int]] = []
    copies = copy_database(source, database, lambda *state: progress.append(state))
    counts = {copy.table: copy.rows for copy in copies if copy.rows}
    assert counts["sample_blocks"] == counts["sample_aggregates"] == 2
    assert (counts["samples"], counts["models"], counts["serving"], counts["notifications"]) == (30, 2, 1, 1)
    assert not any(copy.damaged for copy in copies)
    assert ("samples", 30, 30) in progress
    original = SampleRepository(source).between(0, 1e12)
    assert SampleRepository(database).between(0, 1e12).tobytes() == original.tobytes()
    assert PredictionRepository(database).between(0, 1e12) == PredictionRepository(source).between(0, 1e12)
    assert ModelRegistry(database).record(2) == ModelRegistry(source).record(2)
    assert ModelRegistry(database).fallbacks() == {"300.0": {"high": "persistence"}}
    assert AnomalyRepository(database).get(1) == AnomalyRepository(source).get(1)
    assert database.damaged_rows.counts() == {}


def test_ids_continue_in_the_copy(source: Database, database: Database) -> None:
    copy_database(source, database)
    assert ModelRegistry(database).register(b"next", "{}", 5.0) == 3
    SampleRepository(database).append(Sample(START + 9000.0))


def test_copy_back_equals_the_original(source: Database, database: Database, tmp_path: Path) -> None:
    first = copy_database(source, database)
    with open_database(f"sqlite:///{tmp_path}/back.db") as back:
        assert copy_database(database, back) == first
        assert contents(back) == contents(source)


def test_target_with_rows_is_refused_unless_they_are_replaced(source: Database, database: Database) -> None:
    SampleRepository(database).append(Sample(5.0))
    with pytest.raises(TargetNotEmptyError, match="samples"):
        copy_database(source, database)
    assert SampleRepository(database).count() == 1
    copy_database(source, database, replace=True)
    assert SampleRepository(database).count() == 150


def test_damaged_rows_are_left_out_and_counted(source: Database, database: Database) -> None:
    with source.writing() as connection:
        connection.exec_driver_sql("UPDATE anomalies SET started_at = 'noon'")
        connection.exec_driver_sql("UPDATE training_runs SET reason = char(0)")
    copies = {copy.table: copy for copy in copy_database(source, database)}
    assert (copies["anomalies"].damaged, copies["training_runs"].damaged) == (1, 1)
    with database.reading() as connection:
        assert connection.execute(select(anomalies)).all() == []


def test_interrupted_copy_changes_nothing(source: Database, database: Database) -> None:
    def interrupt(table: str, done: int, total: int) -> None:
        if table == "predictions":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_database(source, database, interrupt)
    assert not any(contents(database).values())
    copy_database(source, database)


def test_copy_that_differs_is_refused(source: Database, postgresql: PostgresServer) -> None:
    with open_database(postgresql.url("differs")) as target:

        def falsify(connection, cursor, statement, parameters, context, executemany) -> None:  # type: ignore[no-untyped-def]
            if statement.startswith("INSERT INTO models"):
                cursor.execute("UPDATE models SET size = 99 WHERE id = 1")

        event.listen(target.engine, "after_cursor_execute", falsify)
        with pytest.raises(VerificationError):
            copy_database(source, target)
        event.remove(target.engine, "after_cursor_execute", falsify)
        assert not any(contents(target).values())
