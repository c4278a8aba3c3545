"""Row check: count the stored rows with values of unexpected types, without any change."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Float, Integer, LargeBinary, String, Table

from storage.blocks.format import decode_block
from storage.blocks.series import ALL_SERIES
from storage.errors import StorageErrorKind, kind_of, storage_errors
from storage.inspection import connect_read_only
from storage.schema import metadata

STORAGE_CLASSES = (
    (Float, ("real", "integer")),
    ((Integer, Boolean), ("integer",)),
    (LargeBinary, ("blob",)),
    ((String, JSON), ("text",)),
)
"""Storage classes of SQLite (sqlite.org/datatype3.html) that a column of each type may hold, apart from NULL."""

LARGE_TABLES = frozenset({"samples", *(series.blocks.name for series in ALL_SERIES)})
"""Tables that are checked last, as they are most of the database."""


@dataclass(frozen=True)
class RowCheck:
    """Result of a row check.

    Attributes:
        damaged: number of rows with unexpected values, for each table that has any.
        completed: False if the check was interrupted at the time limit.
    """

    damaged: dict[str, int]
    completed: bool


def check_rows(path: Path, time_limit: float) -> RowCheck:
    """Count the rows with unexpected values in all tables of a database with the schema of this release.

    Args:
        path: path of the database.
        time_limit: seconds until the check is interrupted.

    Raises:
        StorageError: the database cannot be read.
    """
    damaged: dict[str, int] = {}
    # The small tables come first.
    tables = sorted(metadata.tables.values(), key=lambda table: (table.name in LARGE_TABLES, table.name))
    with storage_errors(str(path)), closing(connect_read_only(path)) as connection:
        timer = threading.Timer(time_limit, connection.interrupt)
        timer.start()
        try:
            for table in tables:
                count = connection.execute(_count_query(table)).fetchone()[0] + _damaged_blocks(connection, table)
                if count:
                    damaged[table.name] = count
        except sqlite3.OperationalError as error:
            if kind_of(error) is not StorageErrorKind.INTERRUPTED:
                raise
            return RowCheck(damaged, completed=False)
        finally:
            timer.cancel()
            timer.join()
    return RowCheck(damaged, completed=True)


def _count_query(table: Table) -> str:
    conditions = " OR ".join(_unexpected(column) for column in table.columns)
    return f'SELECT count(*) FROM "{table.name}" WHERE {conditions}'  # noqa: S608 - names of our own schema


def _damaged_blocks(connection: sqlite3.Connection, table: Table) -> int:
    """Return the number of blocks with values of the expected types that cannot be decoded; 0 for other tables."""
    series = next((series for series in ALL_SERIES if series.blocks is table), None)
    if series is None:
        return 0
    names = [column.name for column in table.columns]
    conditions = " AND ".join(f"NOT {_unexpected(column)}" for column in table.columns)
    columns = ", ".join(f'"{name}"' for name in names)
    query = f'SELECT {columns} FROM "{table.name}" WHERE {conditions}'  # noqa: S608 - names of our own schema
    damaged = 0
    for values in connection.execute(query):
        try:
            decode_block(series, series.columns, dict(zip(names, values, strict=True)))
        except ValueError:
            damaged += 1
    return damaged


def storage_classes(column: Column[Any]) -> tuple[str, ...]:
    """Return the names of the storage classes that the values of a column may have."""
    kind = getattr(column.type, "impl_instance", column.type)
    allowed = next(classes for kinds, classes in STORAGE_CLASSES if isinstance(kind, kinds))
    return (*allowed, *(("null",) if column.nullable else ()))


def _unexpected(column: Column[object]) -> str:
    """Return the SQL condition for a value of an unexpected type in a column."""
    names = ", ".join(map(repr, storage_classes(column)))
    return f'typeof("{column.name}") NOT IN ({names})'
