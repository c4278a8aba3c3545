"""Quarantine: damaged databases are moved aside under a name with a timestamp, never deleted."""

from __future__ import annotations

import calendar
import os
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from storage.errors import StorageError, StorageErrorKind

INFIX = ".damaged-"
"""Text between the name of the database and the timestamp."""

MAX_PER_DAY = 10
"""Largest number of quarantines in a day: a broken disk must not fill the directory with moved files."""

COMPANIONS = ("", "-wal", "-shm")
"""Suffixes of the files that belong together."""

_TIMESTAMP = "%Y%m%dT%H%M%SZ"
DAY = 86_400.0


def damage_of(path: Path) -> str:
    """Return the first problem that SQLite finds in a database; empty if there is none.

    Read only; the structure of all pages is checked, and the indexes if the structure is sound.

    Raises:
        sqlite3.Error: the check could not be made, for example because the file is locked.
        OSError: the file cannot be read.
    """
    uri = f"file:{quote(str(path))}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=1.0)) as connection:
            for check in ("quick_check", "integrity_check"):
                (report,) = connection.execute(f"PRAGMA {check}(1)").fetchone()
                if report != "ok":
                    return " ".join(str(report).split())
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return str(error)
        raise
    return ""


def quarantined_files(path: Path) -> list[Path]:
    """Return the files moved aside for a database, oldest first, without their write-ahead logs."""
    real = Path(os.path.realpath(path))
    pattern = re.compile(re.escape(real.name + INFIX) + r"\d{8}T\d{6}Z(\.\d+)?")
    try:
        return sorted(entry for entry in real.parent.iterdir() if pattern.fullmatch(entry.name))
    except OSError:
        return []


def recently_quarantined(path: Path, now: float) -> list[Path]:
    """Return the files moved aside in the day before `now` (seconds since the epoch), oldest first."""
    return [file for file in quarantined_files(path) if now - DAY < _moved_at(file)]


def quarantine_name(path: Path, now: float) -> Path:
    """Return a free name for a file moved aside at `now`, in seconds since the epoch."""
    real = Path(os.path.realpath(path))
    base = f"{real.name}{INFIX}{time.strftime(_TIMESTAMP, time.gmtime(now))}"
    names = (base if number == 0 else f"{base}.{number}" for number in range(1000))
    return next(real.with_name(name) for name in names if not os.path.lexists(real.with_name(name)))


def quarantine(path: Path, now: float) -> Path:
    """Move a database with its write-ahead log and index aside.

    Args:
        path: path of the database; the target of a symbolic link is moved.
        now: seconds since the epoch.

    Returns:
        The new path of the database.

    Raises:
        StorageError: too many files were moved aside today.
        OSError: the directory cannot be changed.
    """
    recent = recently_quarantined(path, now)
    if len(recent) >= MAX_PER_DAY:
        detail = f"damaged, and {len(recent)} files were moved aside today; check the disk"
        raise StorageError.of_kind(StorageErrorKind.CORRUPT, str(path), detail)
    real = os.path.realpath(path)
    target = quarantine_name(path, now)
    # The log first: a database without its log is at worst old, a log of another database would damage the next one.
    for suffix in reversed(COMPANIONS):
        source = Path(real + suffix)
        if os.path.lexists(source):
            source.rename(f"{target}{suffix}")
    return target


def move_log_aside(path: Path, now: float) -> Path | None:
    """Move the write-ahead log of a database that is no longer at its path aside, unless it is empty.

    Returns:
        The new path without the suffix of the log; None if nothing was moved.
    """
    real = os.path.realpath(path)
    if not _log_size(real):
        return None
    target = quarantine_name(path, now)
    Path(f"{real}-wal").rename(f"{target}-wal")
    return target


def has_orphaned_log(path: Path) -> bool:
    """Return True if a missing or empty database has a write-ahead log with content."""
    real = os.path.realpath(path)
    try:
        is_empty = Path(real).stat().st_size == 0
    except FileNotFoundError:
        is_empty = True
    return is_empty and _log_size(real) > 0


def _log_size(real: str) -> int:
    try:
        return Path(f"{real}-wal").stat().st_size
    except FileNotFoundError:
        return 0


def _moved_at(file: Path) -> float:
    """Return the time in the name of a file moved aside, in seconds since the epoch."""
    text = file.name.rpartition(INFIX)[2].partition(".")[0]
    return float(calendar.timegm(time.strptime(text, _TIMESTAMP)))
