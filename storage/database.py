"""Opening the database: the file and its mode, the pragmas, the schema. What is SQLite's alone is said here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import StaticPool

from storage.errors import StorageError, StorageErrorKind, storage_errors
from storage.fast_path import Driver
from storage.file_ownership import create_as_owner
from storage.locks import ExclusiveLock
from storage.migrations.runner import HEAD, alembic_version, migrate_if_needed
from storage.schema import metadata

PRAGMAS = (
    # First, so that the others wait for a lock as well. The engine fills it in.
    "busy_timeout = {busy_timeout}",
    "journal_mode = WAL",
    # NORMAL would lose acknowledged samples at a power cut.
    "synchronous = FULL",
    "foreign_keys = ON",
    # A slow reader lets the log grow; without a limit it would keep that size for ever.
    f"journal_size_limit = {16 * 2**20}",
    # In KiB when negative. Appends touch the last page and reads walk once through: the kernel's cache does the rest.
    "cache_size = -1024",
    "temp_store = MEMORY",
)


class Database:
    """An open database, safe to use from several threads. Closed as a context manager, or by `close`.

    Attributes:
        engine: SQLAlchemy's engine over it.
        driver: the short way for single statements.
        path: absolute path of its file; None for one in memory or on a server.
        name: what a message calls it: its path, or its URL without the password.
    """

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        self.name = str(path or engine.url.render_as_string(hide_password=True))
        self.driver = Driver(engine, self.name)
        self._writer = engine.execution_options(writes=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection. The last one to a file writes its log back into it."""
        self.driver.close()
        self.engine.dispose()

    def size_bytes(self) -> int:
        """Bytes of the file with its write-ahead log; 0 for a database without a file.

        Raises:
            StorageError: the file cannot be looked at.
        """
        if self.path is None:
            return 0
        with storage_errors(self.name):
            log = Path(f"{self.path}-wal")
            return self.path.stat().st_size + (log.stat().st_size if log.exists() else 0)

    def free_bytes(self) -> int | None:
        """Bytes that this user may still write on the file system of the database; None where that is not known."""
        if self.path is None:
            return None
        try:
            found = os.statvfs(self.path.parent)
        except OSError:
            return None
        return found.f_bavail * found.f_frsize

    def lock_path(self, name: str) -> Path | None:
        """The file of the lock `name`, beside the database; None for a database without a file."""
        return None if self.path is None else Path(f"{self.path}.{name}.lock")

    def lock(self, name: str) -> ExclusiveLock:
        """The lock `name` of this database, not yet taken.

        Raises:
            StorageError: the database has no file to put a lock beside.
        """
        path = self.lock_path(name)
        if path is None:
            raise StorageError.of_kind(StorageErrorKind.NO_FILE, self.name, "a database without a file has no locks")
        return ExclusiveLock(path)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in a transaction that sees one state of the database throughout. Keep it short.

        Raises:
            StorageError: whatever the database refuses, in one line.
        """
        with self._transaction(self.engine) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction that holds the write lock; committed at the end, undone by an error.

        Raises:
            DuplicateKeyError: a row with this key is there already.
            StorageError: whatever else the database refuses, in one line.
        """
        with self._transaction(self._writer) as connection:
            yield connection

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        with storage_errors(self.name), engine.connect() as connection:
            try:
                with connection.begin():
                    yield connection
            except IntegrityError:
                raise
            except DBAPIError:
                # The next one gets a new connection: this one may stand on a file that is broken or gone.
                connection.invalidate()
                raise


def open_database(url: str, *, busy_timeout: float = 5.0, migrate: bool = True, create: bool = True) -> Database:
    """Opens a database, making it or bringing it to this release's schema first where needed.

    Args:
        url: SQLAlchemy's: `sqlite:////absolute/path`, or `sqlite://` for one in memory.
        busy_timeout: seconds to wait for another writer.
        migrate: whether to bring the schema up to date.
        create: whether to make it where it is absent.

    Raises:
        SchemaTooNewError: a newer release wrote it.
        StorageError: it cannot be opened; the message names the file.
    """
    with storage_errors("the database's URL"):
        parsed, path = parse_url(url)
    with storage_errors(str(path or parsed.render_as_string(hide_password=True))):
        # First the engine, which opens nothing: a URL that makes no sense must not leave a file behind.
        engine = _engine(parsed, busy_timeout)
        if path is not None:
            if not create and not path.exists():
                raise StorageError.of_kind(StorageErrorKind.MISSING, str(path), "no database there")
            _prepare_file(path)
        database = Database(engine, path)
        try:
            _bring_up(database, parsed, migrate)
        except BaseException:
            # A later release moves a broken file aside here and begins anew.
            database.close()
            raise
    return database


def parse_url(url: str) -> tuple[URL, Path | None]:
    """The URL with an absolute path, so that a change of directory means no other file; and that path."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return parsed, None
    path = Path(str(parsed.database)).absolute()
    return parsed.set(database=str(path)), path


def _prepare_file(path: Path) -> None:
    """Makes an absent file with mode 0600, which its log inherits, and refuses one that cannot serve."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        # Only ever a new file is opened here: closing a descriptor of a database that this process already uses
        # would drop the locks that SQLite holds on it.
        os.close(create_as_owner(path, os.O_RDWR | os.O_CLOEXEC))
    except FileExistsError:
        if not path.is_file():
            raise StorageError.of_kind(StorageErrorKind.NOT_A_FILE, str(path), "not a file") from None
        if not os.access(path, os.R_OK | os.W_OK):
            detail = "this user may not read and write it"
            raise StorageError.of_kind(StorageErrorKind.NO_ACCESS, str(path), detail) from None


def _engine(url: URL, busy_timeout: float) -> Engine:
    in_memory = url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")
    # A database in memory lives in one connection.
    options: dict[str, Any] = {"poolclass": StaticPool} if in_memory else {"pool_size": 2}
    try:
        engine = create_engine(url, **options)
    except ImportError as error:
        name = url.render_as_string(hide_password=True)
        detail = f"the driver {error.name} is not installed"
        raise StorageError.of_kind(StorageErrorKind.DRIVER_MISSING, name, detail) from error
    if url.get_backend_name() == "sqlite":
        _configure_sqlite(engine, busy_timeout)
    return engine


def _configure_sqlite(engine: Engine, busy_timeout: float) -> None:
    """Sets the pragmas, and takes the transactions over from the driver.

    The driver begins none before a SELECT or DDL: two reads would see two states of the database, and a migration
    that fails would leave half of itself behind.
    """

    @event.listens_for(engine, "connect")
    def connect(connection: SQLiteConnection, _record: object) -> None:
        connection.isolation_level = None
        with closing(connection.cursor()) as cursor:
            for pragma in PRAGMAS:
                cursor.execute(f"PRAGMA {pragma.format(busy_timeout=round(busy_timeout * 1000))}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE waits for the write lock at once. A transaction that reads first and writes later fails without
        # waiting if another has written between.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _bring_up(database: Database, url: URL, migrate: bool) -> None:
    """Connects once, which finds out what is wrong with the file, and migrates."""
    with database.engine.connect():
        pass
    if not migrate:
        return
    if database.engine.pool.__class__ is StaticPool:
        _make_in_memory(database)
        return
    full_url = url.render_as_string(hide_password=False)
    migrate_if_needed(database.engine, full_url, database.name, database.lock_path("migrate"))


def _make_in_memory(database: Database) -> None:
    """No other process could migrate it, and it has no history to migrate."""
    with database.writing() as connection:
        metadata.create_all(connection)
        alembic_version.create(connection)
        connection.execute(insert(alembic_version).values(version_num=HEAD))
