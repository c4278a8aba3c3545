"""Migration runner."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

import storage.migrations
from storage import Database, SchemaTooNewError, StorageError, StorageErrorKind
from storage.migrations.runner import HEAD, REVISIONS, alembic_version, needs_migration
from storage.schema import metadata

pytestmark = pytest.mark.unit


def test_revisions_are_those_of_alembic_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(storage.migrations.__file__).parent))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(revisions)) == REVISIONS
    assert REVISIONS[0] == "0001"


def test_needs_migration_is_true_for_an_empty_database() -> None:
    assert needs_migration(create_engine("sqlite://"), "x.db")


@pytest.mark.parametrize(("revision", "expected"), [(HEAD, False), (REVISIONS[0], True), (None, True)])
def test_needs_migration_depends_on_the_revision(database: Database, revision: str | None, expected: bool) -> None:
    with database.writing() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        if revision is not None:
            connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
    assert needs_migration(database.engine, database.name) is expected


def test_needs_migration_refuses_a_newer_schema(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(SchemaTooNewError) as caught:
        needs_migration(database.engine, database.name)
    assert caught.value.kind is StorageErrorKind.SCHEMA_TOO_NEW


def test_needs_migration_refuses_the_database_of_another_program(database: Database) -> None:
    with database.writing() as connection:
        for table in (alembic_version, *reversed(metadata.sorted_tables)):
            if table.name != "samples":
                table.drop(connection)
    with pytest.raises(StorageError) as caught:
        needs_migration(database.engine, database.name)
    assert caught.value.kind is StorageErrorKind.FOREIGN_DATABASE


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE alembic_version", "DROP TABLE onsets", "ALTER TABLE samples RENAME COLUMN cpu_usage TO cpu"],
)
def test_needs_migration_refuses_a_database_that_lacks_a_part(database: Database, statement: str) -> None:
    with database.writing() as connection:
        connection.execute(text(statement))
    with pytest.raises(StorageError) as caught:
        needs_migration(database.engine, database.name)
    assert caught.value.kind is StorageErrorKind.SCHEMA_DAMAGED
