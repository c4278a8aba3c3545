"""Rescue database: intact copy of the readable models, their history and the training runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from storage.database import Database, open_database
from storage.errors import SchemaTooNewError, StorageError, StorageErrorKind, storage_errors
from storage.migrations.runner import HEAD, REVISIONS, alembic_version, create_revision
from storage.salvage.tables import TableReader
from storage.salvage.workspace import workspace
from storage.schema import activations, models, quarantined_models, serving, training_runs

MODEL_TABLES = tuple(table.name for table in (models, serving, activations, quarantined_models, training_runs))
"""Names of the tables that are rescued."""


@contextmanager
def rescue_models(reader: TableReader, name: str) -> Iterator[Database]:
    """Copy the readable rows of the models, of their history and of the training runs to a temporary database.

    An older schema is migrated. The database is deleted at the end of the `with` block. If the process is killed, the
    next salvage deletes it.

    Args:
        reader: reader of the damaged database.
        name: path of the damaged database, for messages.

    Raises:
        SchemaTooNewError: a newer release wrote the database.
        StorageError: the database belongs to another program, or cannot be migrated.
    """
    revision = _revision(reader, name)
    with workspace() as directory:
        path = directory / "rescue.db"
        url = f"sqlite:///{path}"
        if revision == HEAD:
            open_database(url).close()
        else:
            create_revision(url, name, revision)
        with storage_errors(str(path)):
            _copy(reader, path)
        with open_database(url) as database:
            yield database


def _revision(reader: TableReader, name: str) -> str:
    """Return the revision of the schema; that of this release if it is not readable.

    Raises:
        SchemaTooNewError: a newer release wrote the database.
        StorageError: the database belongs to another program.
    """
    if reader.foreign:
        detail = f"not a database of monitor (it has a table {reader.foreign})"
        raise StorageError.of_kind(StorageErrorKind.FOREIGN_DATABASE, name, detail)
    stated = {str(row["version_num"]) for _, row in reader.rows(alembic_version.name)}
    revision = max(stated, default=HEAD)
    if revision not in REVISIONS:
        detail = f"its schema is revision {revision}, and this release supports revisions up to {HEAD}"
        raise SchemaTooNewError.of_kind(StorageErrorKind.SCHEMA_TOO_NEW, name, detail)
    return revision


def _copy(reader: TableReader, path: Path) -> None:
    """Copy the rows; of several rows with the same key, the first one is kept."""
    # Foreign keys are off: a history row whose model is lost is kept, and its reader ignores the model.
    with closing(sqlite3.connect(path)) as connection, connection:
        tables = {name: _columns(connection, name) for name in MODEL_TABLES}
        for name, row in reader.rows(*(name for name, columns in tables.items() if columns)):
            columns = [column for column in row if column in tables[name]]
            names = ", ".join(f'"{column}"' for column in columns)
            places = ", ".join("?" * len(columns))
            statement = f'INSERT OR IGNORE INTO "{name}" ({names}) VALUES ({places})'  # noqa: S608 - names of our own schema
            connection.execute(statement, [row[column] for column in columns])


def _columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """Return the names of the columns of a table; empty if its schema has no such table."""
    return frozenset(row[1] for row in connection.execute(f'PRAGMA table_info("{table}")'))
