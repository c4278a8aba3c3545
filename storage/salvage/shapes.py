"""Table shapes: columns and allowed values of the tables of a damaged database."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from storage.migrations.runner import alembic_version
from storage.row_check import storage_classes
from storage.salvage.cells import Value
from storage.schema import metadata

PYTHON_TYPES: dict[str, type] = {"real": float, "integer": int, "blob": bytes, "text": str, "null": type(None)}
"""Type of a decoded value for each storage class of SQLite."""

DEFINITION = re.compile(r"\s*CREATE TABLE \S+\s*\(")
WITHOUT_ROW_ID = re.compile(r"WITHOUT ROWID\s*$")

REVISION = re.compile(r"\d{4}")


@dataclass(frozen=True)
class TableShape:
    """Columns of a table in the order of its records.

    Attributes:
        name: name of the table.
        columns: names of the columns.
        types: allowed types of the values of each column.
        row_id_column: position of the column whose value is the row ID of the cell; None if there is none.
        without_row_id: True if the rows are in index pages.
        root: number of the root page; 0 if it is unknown.
    """

    name: str
    columns: tuple[str, ...]
    types: tuple[frozenset[type], ...]
    row_id_column: int | None
    without_row_id: bool
    root: int = 0

    def row(self, row_id: int, values: Sequence[Value]) -> dict[str, Value] | None:
        """Return the values of a record by column; None if it is no row of this table.

        A record written before a column was added to the table is shorter.
        """
        if len(values) > len(self.columns) or (len(values) < len(self.columns) and not self.root):
            return None
        row = dict(zip(self.columns, values, strict=False))
        if self.row_id_column is not None:
            row[self.columns[self.row_id_column]] = row_id
        if any(type(value) not in types for value, types in zip(row.values(), self.types, strict=False)):
            return None
        if self.name == alembic_version.name and not REVISION.fullmatch(str(values[0])):
            return None
        return row


def known_tables() -> dict[str, Table]:
    """Return the tables of this release and the table with the revision of the schema, by name."""
    return {**metadata.tables, alembic_version.name: alembic_version}


def release_shape(name: str) -> TableShape:
    """Return the shape of a table in this release, without its root page."""
    return stored_shape(name, str(CreateTable(known_tables()[name]).compile(dialect=sqlite.dialect())), 0)


def stored_shape(name: str, sql: str, root: int) -> TableShape:
    """Return the shape of a table from its stored definition.

    Args:
        name: name of a table of this release.
        sql: CREATE TABLE statement.
        root: number of the root page.

    Raises:
        sqlite3.Error: the definition is damaged.
    """
    table = known_tables()[name]
    if not DEFINITION.match(sql):
        raise sqlite3.DatabaseError("not the definition of a table")
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(sql)
        # Position, name, type, not null, default, position in the primary key.
        columns = connection.execute(f'PRAGMA table_info("{name}")').fetchall()
    if not columns:
        raise sqlite3.DatabaseError("the definition of another table")
    without_row_id = WITHOUT_ROW_ID.search(sql) is not None
    keys = [position for position, _, kind, _, _, key in columns if key and kind.upper() == "INTEGER"]
    is_row_id = not without_row_id and len(keys) == 1 and sum(bool(column[5]) for column in columns) == 1
    return TableShape(
        name=name,
        columns=tuple(column[1] for column in columns),
        types=tuple(_types(table, column[1]) for column in columns),
        row_id_column=keys[0] if is_row_id else None,
        without_row_id=without_row_id,
        root=root,
    )


def _types(table: Table, name: str) -> frozenset[type]:
    """Return the types that the values of a column may have; all types for a column of an earlier release."""
    column = table.columns.get(name)
    classes = PYTHON_TYPES if column is None else storage_classes(column)
    return frozenset(PYTHON_TYPES[storage_class] for storage_class in classes)
