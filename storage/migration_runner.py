"""Brings a database to the schema of this release, or says why not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import Column, Engine, MetaData, String, Table, inspect, select

from storage.errors import SchemaTooNewError, StorageError
from storage.locks import ExclusiveLock

REVISIONS = ("0001", "0002", "0003", "0004")
"""Every revision in `migrations/versions`, oldest first."""
HEAD = REVISIONS[-1]

PATIENCE = 120.0
"""Seconds to wait for another process that is migrating the same database."""

# Alembic's own table, kept out of the schema's metadata: it is read here and written by Alembic.
alembic_version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def is_behind(engine: Engine, name: str) -> bool:
    """Whether the database needs a migration; a plain SELECT, because importing Alembic costs 12 MB.

    Raises:
        SchemaTooNewError: no release up to this one wrote its revision.
        StorageError: it is somebody else's database.
    """
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        if alembic_version.name not in tables:
            if tables:
                raise StorageError(
                    f"{name}: not a database of monitor (it has a table {tables[0]}); name another one"
                )
            return True
        found = connection.scalar(select(alembic_version.c.version_num))
    if found is None or found in REVISIONS[:-1]:
        return True
    if found != HEAD:
        raise SchemaTooNewError(
            f"{name}: its schema is revision {found}, and this release knows revisions up to {HEAD};"
            " install the release that wrote it, or restore a backup"
        )
    return False


def migrate_if_behind(engine: Engine, url: str, name: str, lock: Path | None) -> None:
    """Migrates unless the schema is current; of several processes that come at once, one does it.

    Args:
        engine: of the database, used for reading alone.
        url: of the database, for the process that migrates.
        name: of the database in messages.
        lock: file that keeps the others waiting meanwhile; None where nobody else can come.

    Raises:
        SchemaTooNewError: a newer release wrote it.
        StorageError: the migration failed, or another one did not end; the message names the database.
    """
    if not is_behind(engine, name):
        return
    if lock is None:
        _run(url, name)
        return
    with ExclusiveLock(lock, wait=PATIENCE):
        if is_behind(engine, name):
            _run(url, name)


def _run(url: str, name: str) -> None:
    """Runs `storage.migrate` in a process of its own.

    Alembic stays imported for the life of the process that runs it. A daemon that migrates once and then runs for
    months would carry those 12 MB for nothing.
    """
    # -P and an explicit path: this very package, not whatever is called `storage` in the current directory.
    package_root = str(Path(__file__).resolve().parent.parent)
    search = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-P", "-m", "storage.migrate", url],
        env={**os.environ, "PYTHONPATH": search},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        last = lines[-1] if lines else f"its process ended with status {done.returncode}"
        raise StorageError(last if last.startswith(name) else f"{name}: the migration failed: {last}")
