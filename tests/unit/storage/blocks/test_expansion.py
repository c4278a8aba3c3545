"""Expansion: blocks replaced by their rows."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, func, select

from storage import Database, Prediction, Sample
from storage.blocks.expansion import expand_all, expand_hours
from storage.blocks.series import ALL_SERIES, SAMPLES
from storage.blocks.tables import sample_blocks
from storage.schema import predictions, samples

from .conftest import START, Stored

pytestmark = pytest.mark.unit


@pytest.fixture
def stored(database: Database) -> Stored:
    """Three compressed hours of samples and one of predictions."""
    repositories = Stored.of(database)
    repositories.samples.append_many(Sample(START + 600.0 * number, cpu_usage=0.5) for number in range(18))
    repositories.predictions.append(
        [
            Prediction(START, 300.0, 3, 0.25, 0.1, 0.6, warning=True),
            Prediction(START, 900.0, 3, 0.5, 0.1, 0.6, False, 5.5),
        ]
    )
    repositories.compress()
    return repositories


def rows_of(database: Database, table: Any) -> list[tuple[Any, ...]]:
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(select(table))]


def test_only_the_hours_of_the_times_are_expanded(stored: Stored) -> None:
    with stored.database.writing() as connection:
        expand_hours(connection, SAMPLES, 1, [START + 3599.0, START + 1.0])
    assert len(rows_of(stored.database, samples)) == 6
    assert [row[1] for row in rows_of(stored.database, sample_blocks)] == [START + 3600, START + 7200]


def test_hours_of_another_host_are_not_expanded(stored: Stored) -> None:
    with stored.database.writing() as connection:
        expand_hours(connection, SAMPLES, 2, [START])
    assert rows_of(stored.database, samples) == []


def test_all_blocks_are_expanded_with_the_types_of_their_columns(stored: Stored) -> None:
    with stored.database.writing() as connection:
        expand_all(connection)
        for series in ALL_SERIES:
            assert connection.scalar(select(func.count()).select_from(series.blocks)) == 0
    assert len(rows_of(stored.database, samples)) == 18
    assert rows_of(stored.database, predictions) == [
        (1, START, 300.0, 3, 0.25, 0.1, 0.6, True, None),
        (1, START, 900.0, 3, 0.5, 0.1, 0.6, False, 5.5),
    ]
    if stored.database.server is not None:
        return
    with stored.database.reading() as connection:
        types = connection.exec_driver_sql(
            "SELECT DISTINCT typeof(model_id), typeof(disk_read) FROM predictions, samples"
        )
        assert types.all() == [("integer", "null")]


def test_append_outside_blocks_is_one_statement(stored: Stored) -> None:
    statements: list[str] = []

    def count(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(stored.database.engine, "before_cursor_execute", count)
    stored.samples.append(Sample(START + 9e5))
    event.remove(stored.database.engine, "before_cursor_execute", count)
    assert [statement.split()[0] for statement in statements if statement[:5] != "BEGIN"] == ["INSERT"]


def test_sample_that_moves_to_the_next_hour_expands_its_block(stored: Stored) -> None:
    last = START + 3599.999
    stored.samples.append(Sample(last))
    stored.compress()
    assert stored.samples.append(Sample(last)) == START + 3600.001
    assert stored.samples.count() == 20
