"""Looking at a database without touching it: nothing is made, migrated, mended or moved.

Files are opened for reading alone, and the write lock is asked about, not taken. A daemon may run meanwhile.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import struct
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine, event
from sqlalchemy.pool import QueuePool

from storage.database import Database, parse_url
from storage.errors import StorageError, StorageErrorKind, kind_of, storage_errors
from storage.locks import is_locked
from storage.migrations.runner import needs_migration

SQLITE_VERSION = sqlite3.sqlite_version

WRITE_LOCK = 120
"""The byte of the -shm file that a writer holds (sqlite.org/walformat.html, 2.3)."""

MAGIC = b"SQLite format 3\0"

FLOCK = "@hhqqi0q"
"""struct flock of fcntl(2): type, whence, start, length, process."""

BESIDE = ("-wal", "-shm", "-journal", ".daemon.lock", ".migrate.lock", ".retrain.lock")
"""What the files are called that belong to a database, after its own name."""


def database_path(url: str) -> Path | None:
    """The absolute path of the file behind a URL; None for a database without one.

    Raises:
        StorageError: the URL makes no sense.
    """
    with storage_errors("the database's URL"):
        return parse_url(url)[1]


def open_read_only(url: str, busy_timeout: float = 0.5) -> Database:
    """Opens a database for reading alone; a write through it is refused.

    Args:
        url: of a database in a file.
        busy_timeout: seconds to wait for a lock.

    Raises:
        StorageError: there is none, or it cannot be read; the message names the file.
    """
    path = database_path(url)
    if path is None:
        name = parse_url(url)[0].render_as_string(hide_password=True)
        raise StorageError.of_kind(StorageErrorKind.NO_FILE, name, "not a database in a file")
    with storage_errors(str(path)):
        if not path.exists():
            raise StorageError(f"{path}: no database there", StorageErrorKind.MISSING)
        if not path.is_file():
            raise StorageError(f"{path}: not a file", StorageErrorKind.NOT_A_FILE)
    engine = create_engine("sqlite://", creator=lambda: _connect(path), poolclass=QueuePool)

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA busy_timeout = {round(busy_timeout * 1000)}")
        connection.execute("PRAGMA query_only = ON")

    database = Database(engine, path)
    try:
        with database.reading() as connection:
            # The first look at the file itself: the pragmas do not read it.
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
    except StorageError:
        database.close()
        raise
    return database


def schema_needs_migration(database: Database) -> bool:
    """Whether the next start of a daemon migrates it.

    Raises:
        SchemaTooNewError: a newer release wrote it.
        StorageError: it is somebody else's database, or cannot be read.
    """
    with storage_errors(database.name):
        return needs_migration(database.engine, database.name)


def damage(path: Path, seconds: float) -> tuple[str, bool]:
    """What SQLite's own quick check finds.

    Args:
        path: of the database.
        seconds: after which it is ended.

    Returns:
        The first thing that is wrong, "" for none; and whether the check came to its end.

    Raises:
        StorageError: it cannot be read.
    """
    with storage_errors(str(path)), closing(_connect(path)) as connection:
        timer = threading.Timer(seconds, connection.interrupt)
        timer.start()
        try:
            found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.OperationalError as error:
            if kind_of(error) is not StorageErrorKind.INTERRUPTED:
                raise
            return "", False
        finally:
            timer.cancel()
            timer.join()
    return ("" if found == "ok" else " ".join(found.split())), True


@dataclass(frozen=True)
class Outside:
    """What the files tell of a database without opening it. Sizes in bytes.

    `sound` is whether it begins as a database does, `wal` whether its changes go to a write-ahead log. `writer` is
    the process that goes on holding the write lock, `strangers` are the names of the files beside it that begin with
    its name and do not belong to it.
    """

    size: int
    log_size: int
    sound: bool
    wal: bool
    writer: int | None
    strangers: tuple[str, ...]


def outside(path: Path, patience: float = 0.3) -> Outside:
    """Looks at the files of a database.

    Not to be called while this process has the database open: closing its files here would drop SQLite's locks.

    Args:
        path: of the database.
        patience: seconds after which a write lock that is still held is no ordinary transaction's.

    Raises:
        StorageError: they cannot be looked at.
    """
    with storage_errors(str(path)):
        log = Path(f"{path}-wal")
        with path.open("rb") as file:
            # The 19th byte of the header is 2 where changes go to a write-ahead log.
            header = file.read(20)
        return Outside(
            path.stat().st_size,
            log.stat().st_size if log.exists() else 0,
            header.startswith(MAGIC) or not header,
            header[18:19] == b"\x02",
            _writer(path, patience),
            _strangers(path),
        )


def lock_holder(path: Path) -> str | None:
    """The process inside a lock of this package, "?" where its file does not tell; None where nobody is.

    Raises:
        StorageError: the file is there and cannot be opened.
    """
    with storage_errors(str(path)):
        if not is_locked(path):
            return None
        return path.read_text(encoding="ascii", errors="replace").strip() or "?"


def _strangers(path: Path) -> tuple[str, ...]:
    own = {path.name, *(path.name + ending for ending in BESIDE)}
    beside = (found.name for found in path.parent.iterdir() if found.name.startswith(path.name))
    return tuple(sorted(name for name in beside if name not in own))


def _connect(path: Path) -> sqlite3.Connection:
    """A connection for reading.

    While nobody has the database open there is no log, and SQLite would make one for a reader; `immutable` keeps it
    from that.
    """
    quiet = not any(Path(f"{path}{ending}").exists() for ending in ("-wal", "-journal"))
    uri = f"file:{quote(str(path))}?mode=ro{'&immutable=1' if quiet else ''}"
    return sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)


def _writer(path: Path, patience: float, step: float = 0.02) -> int | None:
    end = time.monotonic() + patience
    while (holder := _holder(path)) is not None and time.monotonic() < end:
        time.sleep(step)
    return holder


def _holder(path: Path) -> int | None:
    try:
        with Path(f"{path}-shm").open("rb") as file:
            asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, WRITE_LOCK, 1, 0)
            kind, _, _, _, process = struct.unpack(FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
    except OSError:
        return None
    return None if kind == fcntl.F_UNLCK else int(process)
