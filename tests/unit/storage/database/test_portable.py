"""Portable SQL: the same results from both kinds of databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Float, bindparam, insert, select

from storage import Database
from storage.database.portable import (
    continue_ids,
    insert_or_ignore,
    insert_or_update,
    least_of,
    stored_number,
    whole_part,
    whole_remainder,
)
from storage.schema import activations, onsets, predictions

pytestmark = pytest.mark.unit

NUMBER = bindparam("number", type_=Float)


@pytest.mark.parametrize(("number", "expected"), [(0.0, 0), (0.5, 0), (1.5, 1), (2.999, 2)])
def test_whole_part_is_not_rounded(database: Database, number: float, expected: int) -> None:
    with database.reading() as connection:
        assert connection.scalar(select(whole_part(NUMBER)), {"number": number}) == expected


def test_remainder_is_that_of_whole_parts(database: Database) -> None:
    with database.reading() as connection:
        assert connection.scalar(select(whole_remainder(NUMBER, bindparam("every", 300.0))), {"number": 901.9}) == 1


def test_least_of_is_the_smallest(database: Database) -> None:
    with database.reading() as connection:
        assert connection.scalar(select(least_of(NUMBER, NUMBER + 1)), {"number": 2.0}) == 2.0


def test_truth_value_is_a_number(database: Database) -> None:
    row = {"host_id": 1, "horizon": 1.0, "model_id": 1, "probability": 0.5, "baseline_probability": 0.5}
    with database.writing() as connection:
        rows = [{**row, "threshold": 1.0, "at": at, "warning": at > 1} for at in (1.0, 2.0)]
        connection.execute(insert(predictions), rows)
        values = connection.execute(select(stored_number(predictions.c.warning)).order_by(predictions.c.at)).all()
    assert [(type(value), value) for (value,) in values] == [(int, 0), (int, 1)]


def test_stored_row_is_updated_added_to_or_kept(database: Database) -> None:
    key = {"host_id": 1, "horizon": 300.0, "at": 1.0}
    names = ("host_id", "horizon", "at")
    with database.writing() as connection:
        connection.execute(insert_or_ignore(connection, onsets), {**key, "lead_time": 10.0})
        connection.execute(insert_or_ignore(connection, onsets), {**key, "lead_time": 20.0})
        assert connection.scalar(select(onsets.c.lead_time)) == 10.0
        connection.execute(insert_or_update(connection, onsets, names, ("lead_time",)), {**key, "lead_time": 30.0})
        assert connection.scalar(select(onsets.c.lead_time)) == 30.0
        added = insert_or_update(connection, onsets, names, (), added=("lead_time",))
        connection.execute(added, {**key, "lead_time": 3.0})
        assert connection.scalar(select(onsets.c.lead_time)) == 33.0


def test_ids_continue_after_those_that_were_stored(database: Database) -> None:
    row = {"host_id": 1, "model_id": 1, "at": 1.0}
    with database.writing() as connection:
        connection.execute(insert(activations), {"id": 7, **row})
        continue_ids(connection, activations)
        assert connection.scalar(insert(activations).values(**row).returning(activations.c.id)) == 8
