"""Migration runner: upgrade of a database to the current schema, in a separate process."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import URL, Column, Connection, Engine, MetaData, String, Table, insert, inspect, select

from storage.errors import SchemaTooNewError, StorageError, StorageErrorKind
from storage.postgresql.addresses import without_password
from storage.schema import metadata

REVISIONS = tuple(sorted(path.name[:4] for path in Path(__file__).with_name("versions").glob("0*.py")))
"""All revisions, oldest first: the first four characters of the file names in `versions`."""

HEAD = REVISIONS[-1]
"""Revision of this release's schema."""

LOCK_TIMEOUT = 120.0
"""Seconds to wait while another process migrates the same database."""

EXIT_REFUSED = 3
"""Exit status of `storage.migrations.upgrade` after a StorageError; its only output is the error message."""

# Table that Alembic writes; it is only read here and is not part of `storage.schema.metadata`.
alembic_version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def needs_migration(engine: Engine, name: str) -> bool:
    """Return True if the database is empty or its schema is older than the schema of this release.

    The revision is read without Alembic, because importing Alembic costs 12 MB.

    Args:
        engine: engine of the database; used for reading only.
        name: path or URL of the database, for messages.

    Raises:
        SchemaTooNewError: a newer release wrote the database.
        StorageError: the database belongs to another program, or lacks a table or a column.
    """
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        if not tables:
            return True
        if alembic_version.name not in tables:
            if len(metadata.tables.keys() & set(tables)) > len(metadata.tables) / 2:
                detail = f"its table {alembic_version.name} is missing"
                raise StorageError.of_kind(StorageErrorKind.SCHEMA_DAMAGED, name, detail)
            detail = f"not a database of monitor (it has a table {tables[0]})"
            raise StorageError.of_kind(StorageErrorKind.FOREIGN_DATABASE, name, detail)
        revision = connection.scalar(select(alembic_version.c.version_num))
        missing = missing_parts(connection) if revision == HEAD else ""
    if revision is None or revision in REVISIONS[:-1]:
        return True
    if revision != HEAD:
        detail = f"its schema is revision {revision}, and this release supports revisions up to {HEAD}"
        raise SchemaTooNewError.of_kind(StorageErrorKind.SCHEMA_TOO_NEW, name, detail)
    if missing:
        raise StorageError.of_kind(StorageErrorKind.SCHEMA_DAMAGED, name, f"its {missing} is missing")
    return False


def missing_parts(connection: Connection) -> str:
    """Return the first table or column of this release's schema that a database lacks; empty if it is complete."""
    inspector = inspect(connection)
    tables = set(inspector.get_table_names())
    for name, table in sorted(metadata.tables.items()):
        if name not in tables:
            return f"table {name}"
        columns = {column["name"] for column in inspector.get_columns(name)}
        missing = sorted(set(table.columns.keys()) - columns)
        if missing:
            return f"column {missing[0]} of table {name}"
    return ""


def migrate_if_needed(engine: Engine, url: URL | str, name: str, lock: AbstractContextManager[object]) -> None:
    """Migrate the database unless its schema is current; concurrent processes wait for the first one.

    Args:
        engine: engine of the database; used for reading only.
        url: URL of the database, passed to the migrating process.
        name: path or URL of the database, for messages.
        lock: lock of the migration, which waits up to LOCK_TIMEOUT.

    Raises:
        SchemaTooNewError: a newer release wrote the database.
        LockHeldError: another process has been migrating the database for longer than LOCK_TIMEOUT.
        StorageError: the migration failed, or the database belongs to another program.
    """
    if not needs_migration(engine, name) or _create_if_empty(engine):
        return
    with lock:
        if needs_migration(engine, name):
            _run(url, name)


def _create_if_empty(engine: Engine) -> bool:
    """Create the schema if the database has no tables; return True if it had none.

    Recovery from a lost database must not depend on a process of its own, which may lack memory or descriptors.
    """
    with engine.connect() as connection:
        # With the write lock from the start (see engine.WRITES): the first of several processes creates the schema.
        connection.info["writes"] = True
        with connection.begin():
            if inspect(connection).get_table_names():
                return False
            create_schema(connection)
    return True


def create_schema(connection: Connection) -> None:
    """Create all tables in an empty database, without running the migrations."""
    metadata.create_all(connection)
    alembic_version.create(connection)
    connection.execute(insert(alembic_version).values(version_num=HEAD))


def create_revision(url: str, name: str, revision: str) -> None:
    """Create a database with the schema of an earlier release.

    Args:
        url: URL of the new database.
        name: path or URL of the database, for messages.
        revision: one of REVISIONS.

    Raises:
        StorageError: the database cannot be created.
    """
    _run(url, name, revision)


def _run(url: URL | str, name: str, revision: str = HEAD) -> None:
    """Run `storage.migrations.upgrade` in a separate process.

    A module cannot be unloaded: a daemon that imported Alembic for one migration would keep 12 MB of memory.

    Raises:
        StorageError: the program failed.
    """
    # -P and an explicit path: this package, not a `storage` package in the current directory.
    package_root = str(Path(__file__).resolve().parents[2])
    search_path = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": search_path}
    if isinstance(url, URL):
        # Every user of the host may read the arguments of a process.
        if url.password is not None:
            environment["PGPASSWORD"] = str(url.password)
        url = without_password(url).render_as_string()
    process = subprocess.run(  # noqa: S603 - this interpreter and our own module
        [sys.executable, "-P", "-m", "storage.migrations.upgrade", url, revision],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode == 0:
        return
    lines = process.stderr.strip().splitlines()
    if process.returncode == EXIT_REFUSED:
        raise StorageError("\n".join(lines), StorageErrorKind.MIGRATION_FAILED)
    last = lines[-1] if lines else f"its process ended with status {process.returncode}"
    raise StorageError(f"{name}: the migration failed: {last}", StorageErrorKind.MIGRATION_FAILED)
