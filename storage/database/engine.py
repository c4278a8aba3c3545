"""Engine of a database: URL, driver, SQLite pragmas and the start of transactions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import NullPool, StaticPool

from storage.errors import StorageError, StorageErrorKind
from storage.postgresql.addresses import is_server
from storage.rows import decode_text

JOURNAL_SIZE_LIMIT = 16 * 2**20
"""Size in bytes to which SQLite truncates the write-ahead log; a slow reader lets it grow."""

PRAGMAS = (
    # First, so that the other pragmas wait for a lock, too. `_configure_sqlite` fills in the value.
    "busy_timeout = {busy_timeout}",
    # NORMAL would lose committed samples in a power failure.
    "synchronous = FULL",
    "foreign_keys = ON",
    f"journal_size_limit = {JOURNAL_SIZE_LIMIT}",
    # A negative number is KiB, per connection. Appends touch the last page and reads scan once, so that the page
    # cache of the kernel is enough.
    "cache_size = -256",
    "temp_store = MEMORY",
)

SQLITE_FILE = "sqlite:///"

WRITES = "writes"
"""Key in `Connection.info`; True makes the next transaction acquire the write lock at its start."""


def parse_url(url: str) -> tuple[URL, Path | None]:
    """Return the URL with an absolute path, and the path; the path is None for a database without a file."""
    # A path may contain the separators of a URL, such as "?".
    is_file = url.startswith(SQLITE_FILE)
    parsed = URL.create("sqlite", database=url.removeprefix(SQLITE_FILE)) if is_file else make_url(url)
    if parsed.get_backend_name() != "sqlite" or is_in_memory(parsed):
        return parsed, None
    path = Path(str(parsed.database)).absolute()
    return parsed.set(database=str(path)), path


def is_in_memory(url: URL) -> bool:
    """Return True for a SQLite database in memory."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def make_engine(url: URL, busy_timeout: float) -> Engine:
    """Return an engine, without opening a file.

    Args:
        url: URL with an absolute path, as `parse_url` returns it.
        busy_timeout: longest time to wait for the write lock, in seconds.

    Raises:
        StorageError: the database is neither SQLite nor PostgreSQL, or the driver of PostgreSQL is not installed.
    """
    if is_server(url):
        from storage.postgresql.sessions import make_server_engine  # noqa: PLC0415 - SQLite needs none of it

        return make_server_engine(url, busy_timeout, WRITES)
    if url.get_backend_name() != "sqlite":
        raise StorageError.of_kind(StorageErrorKind.INVALID_URL, url.drivername, "neither SQLite nor PostgreSQL")
    # A database in memory exists in one connection only.
    engine = create_engine(url, poolclass=StaticPool if is_in_memory(url) else NullPool)
    _configure_sqlite(engine, busy_timeout)
    return engine


def _is_foreign(cursor: sqlite3.Cursor) -> bool:
    """Return True for a database of another program, whose file would be changed by another journal mode.

    `storage.migrations` refuses it later. A database that uses a write-ahead log already is not examined.
    """
    (mode,) = cursor.execute("PRAGMA journal_mode").fetchone()
    if mode == "wal":
        return False
    tables = {name for (name,) in cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return bool(tables) and "alembic_version" not in tables


def _configure_sqlite(engine: Engine, busy_timeout: float) -> None:
    """Set the pragmas of each connection, and make SQLAlchemy begin the transactions instead of the driver.

    The driver begins no transaction before a SELECT or DDL statement: two reads would see different states of the
    database, and a failed migration would leave half of its changes.
    """

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.text_factory = decode_text
        with closing(connection.cursor()) as cursor:
            for pragma in PRAGMAS:
                cursor.execute(f"PRAGMA {pragma.format(busy_timeout=round(busy_timeout * 1000))}")
            if not _is_foreign(cursor):
                cursor.execute("PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE waits for the write lock. A deferred transaction that reads and then writes fails at once if
        # another process has written in between.
        statement = "BEGIN IMMEDIATE" if connection.info.get(WRITES, False) else "BEGIN"
        driver_connection: Any = connection.connection.dbapi_connection
        driver_connection.execute(statement)
