"""Schema watch: tables and columns that disappear while the database is open."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage import StorageError
from storage.recovery.database_file import FileChange
from storage.recovery.keeper import CHECK_INTERVAL
from storage.recovery.quarantine import quarantined_files

from .conftest import Kept

pytestmark = pytest.mark.unit

FIRST = [float(at) for at in range(1, 301)]

Keep = Callable[[str], Kept]


def times_in(path: Path) -> list[float]:
    with closing(sqlite3.connect(path)) as connection:
        return [at for (at,) in connection.execute("SELECT at FROM samples ORDER BY at")]


def change_schema(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as other:
        for statement in statements:
            other.execute(statement)


DAMAGED_SCHEMAS = {
    "table": ("DROP TABLE samples",),
    "column": ("ALTER TABLE samples RENAME COLUMN cpu_usage TO cpu",),
    "view": ("ALTER TABLE samples RENAME TO other", "CREATE VIEW samples AS SELECT * FROM other"),
    "version": ("DROP TABLE alembic_version", "DROP TABLE samples", "CREATE TABLE samples (at)"),
}


@pytest.mark.parametrize("name", ["table", "column", "view"])
def test_keeper_moves_a_database_aside_after_a_statement_on_a_damaged_schema(
    kept: Kept, path: Path, name: str
) -> None:
    change_schema(path, *DAMAGED_SCHEMAS[name])
    with pytest.raises(StorageError):
        kept.write(301.0)
    kept.write(301.0)
    (moved,) = quarantined_files(path)
    assert (kept.times(), kept.keeper.quarantines) == ([301.0], 1)
    assert [(report.change, report.moved_to) for report in kept.reports] == [(FileChange.SCHEMA_DAMAGED, moved)]
    assert "missing" in kept.reports[0].damage


@pytest.mark.parametrize("table", ["maintenance_windows", "alembic_version"])
def test_keeper_notices_a_dropped_table_that_no_statement_uses_at_the_next_check(
    kept: Kept, path: Path, table: str
) -> None:
    change_schema(path, f"DROP TABLE {table}")
    kept.write(301.0)
    kept.now += CHECK_INTERVAL
    kept.write(302.0)
    (moved,) = quarantined_files(path)
    assert (times_in(moved), kept.times()) == ([*FIRST, 301.0], [302.0])


@pytest.mark.parametrize("name", ["column", "version"])
def test_keeper_moves_a_database_with_a_damaged_schema_aside_at_its_opening(
    kept: Kept, keep: Keep, url: str, path: Path, name: str
) -> None:
    kept.keeper.close()
    change_schema(path, *DAMAGED_SCHEMAS[name])
    again = keep(url)
    again.write(301.0)
    assert (again.times(), len(quarantined_files(path))) == ([301.0], 1)


def test_keeper_keeps_a_database_whose_schema_is_complete_after_a_change(kept: Kept, path: Path) -> None:
    change_schema(path, "CREATE TABLE notes (note)", "CREATE INDEX usage ON samples (cpu_usage)")
    kept.now += CHECK_INTERVAL
    kept.write(301.0)
    assert (kept.times(), kept.keeper.generation, kept.reports) == ([*FIRST, 301.0], 1, [])


def test_keeper_continues_with_the_schema_of_a_newer_release_while_its_statements_work(
    kept: Kept, path: Path
) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE notes (note)")
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    kept.now += CHECK_INTERVAL
    kept.write(301.0)
    assert (kept.times(), quarantined_files(path)) == ([*FIRST, 301.0], [])


def test_keeper_ignores_invalid_statements_on_a_complete_schema(kept: Kept) -> None:
    with pytest.raises(StorageError), kept.database.reading() as connection:
        connection.exec_driver_sql("SELECT nothing FROM samples")
    assert kept.database.statement_refused
    kept.write(301.0)
    assert not kept.database.statement_refused
    assert (kept.times(), kept.keeper.generation) == ([*FIRST, 301.0], 1)
