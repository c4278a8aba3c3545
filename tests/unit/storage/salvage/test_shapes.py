"""Table shapes."""

from __future__ import annotations

import sqlite3

import pytest

from storage.salvage.shapes import release_shape, stored_shape
from storage.schema import SAMPLE_FIELDS, metadata

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", sorted(metadata.tables))
def test_release_shape_has_the_columns_of_the_table(name: str) -> None:
    shape = release_shape(name)
    table = metadata.tables[name]
    assert shape.columns == tuple(table.columns.keys())
    assert shape.without_row_id is table.dialect_options["sqlite"].get("with_rowid", True).__eq__(False)


def test_row_has_the_row_id_as_primary_key() -> None:
    row = release_shape("activations").row(7, [None, 1, 2, 3.5, 0])
    assert row == {"id": 7, "host_id": 1, "model_id": 2, "at": 3.5, "undone": 0}


@pytest.mark.parametrize("values", [[None, 1, 2, "noon", 0], [None, 1, 2, 3.5], [None, 1, 2, 3.5, 0, 0]])
def test_row_refuses_another_type_or_number_of_values(values: list[int | float | str | bytes | None]) -> None:
    assert release_shape("activations").row(7, values) is None


def test_stored_row_may_lack_columns_that_were_added_later() -> None:
    sql = f"CREATE TABLE samples (host_id INTEGER, at FLOAT, {', '.join(SAMPLE_FIELDS)})"
    assert stored_shape("samples", sql, 5).row(0, [1, 2.0]) == {"host_id": 1, "at": 2.0}


@pytest.mark.parametrize("sql", ["", "CREATE TABLE samples AS SELECT 1", "CREATE TABLE other (x)", "DROP TABLE x"])
def test_stored_shape_refuses_a_damaged_definition(sql: str) -> None:
    with pytest.raises(sqlite3.Error):
        stored_shape("samples", sql, 5)
