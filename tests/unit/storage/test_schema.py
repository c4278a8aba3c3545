"""Tables."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select

from storage import SAMPLE_FIELDS, Database
from storage.schema import JsonText, metadata, samples

pytestmark = pytest.mark.unit


def test_samples_table_has_a_column_per_field_in_order() -> None:
    assert [column.name for column in samples.columns] == ["host_id", "at", *SAMPLE_FIELDS]


def test_every_table_has_a_host_id() -> None:
    assert all("host_id" in table.columns for table in metadata.tables.values())


@pytest.mark.parametrize("value", ["{}", '{"a": [1, 2.5, null], "b": "\\u00e4"}', None])
def test_json_text_returns_an_equivalent_document(database: Database, value: str | None) -> None:
    table = Table("documents", MetaData(), Column("id", Integer, primary_key=True), Column("body", JsonText))
    with database.writing() as connection:
        table.create(connection)
        connection.execute(insert(table).values(id=1, body=value))
        stored = connection.scalar(select(table.c.body))
    if value is None:
        assert stored is None
    else:
        assert json.loads(stored) == json.loads(value)
