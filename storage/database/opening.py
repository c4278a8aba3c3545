"""Opening of databases: URL, file, schema of a host, and the schema upgrade."""

from __future__ import annotations

from sqlalchemy import URL

from storage.database.database import Database
from storage.database.engine import SQLITE_FILE, WRITES, is_in_memory, make_engine, parse_url
from storage.database.server import Server
from storage.errors import StorageError, StorageErrorKind, storage_errors
from storage.file_ownership import prepare_database_file
from storage.migrations.runner import LOCK_TIMEOUT, create_schema, migrate_if_needed
from storage.postgresql.addresses import is_server


def open_database(url: str, *, busy_timeout: float = 5.0, migrate: bool = True, create: bool = True) -> Database:
    """Open a database; first create it, or migrate it to the schema of this release, if necessary.

    Args:
        url: SQLAlchemy URL: `sqlite:////absolute/path`, `sqlite://` for a database in memory, or the result of
            `storage.postgresql.addresses.for_host`.
        busy_timeout: longest time to wait for the write lock, in seconds.
        migrate: True to create a missing schema or migrate an older schema.
        create: True to create a missing file or schema, False to raise StorageError.

    Raises:
        SchemaTooNewError: a newer release wrote the database.
        StorageError: the URL is invalid, or the database cannot be opened or migrated.
    """
    database = closed_database(url, busy_timeout=busy_timeout)
    with storage_errors(database.name):
        if database.path is not None:
            if not create and not database.path.exists():
                raise StorageError.of_kind(StorageErrorKind.MISSING, database.name, "the file does not exist")
            prepare_database_file(database.path)
        try:
            # Connect once to detect an unusable file.
            with database.reading() as connection:
                if database.server is not None and not create:
                    database.server.require_schema(connection)
            if migrate:
                prepare_schema(database)
        except BaseException:
            database.close()
            raise
    return database


def closed_database(url: str, *, busy_timeout: float = 5.0) -> Database:
    """Return a database without opening or creating any file; its first transaction opens the file.

    Raises:
        StorageError: the URL is invalid.
    """
    with storage_errors("database URL"):
        parsed, path = parse_url(url)
    server = _server(parsed)
    with storage_errors(server.name if server else str(path or parsed.render_as_string(hide_password=True))):
        return Database(make_engine(parsed, busy_timeout), path, server)


def _server(url: URL) -> Server | None:
    """Return the schema of a host on a server; None for SQLite.

    Raises:
        StorageError: the URL names no host.
    """
    try:
        return Server(url) if is_server(url) else None
    except ValueError as error:
        raise StorageError.of_kind(StorageErrorKind.INVALID_URL, "database URL", str(error)) from error


def prepare_schema(database: Database) -> None:
    """Create a missing schema, or migrate an older one.

    Raises:
        SchemaTooNewError: a newer release wrote the database.
        StorageError: the database cannot be migrated, or belongs to another program.
    """
    url: URL = database.engine.url
    if is_in_memory(url):
        with database.writing() as connection:
            create_schema(connection)
        return
    if database.server is not None:
        with database.engine.connect() as connection:
            connection.info[WRITES] = True
            with connection.begin():
                database.server.create_schema(connection)
    full_url = database.server.url if database.server else f"{SQLITE_FILE}{database.path}"
    migrate_if_needed(database.engine, full_url, database.name, database.lock("migrate", LOCK_TIMEOUT))
