"""The one place where the errors of SQLAlchemy, SQLite and the file system become sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from storage.errors import KeyTakenError, StorageError

ADVICE = {
    "database is locked": "another process has been writing for too long; see which one has the file open",
    "disk is full": "make room on its file system",
    "disk I/O error": "check its file system for space and for damage",
    "file is not a database": "move it aside or restore a backup in its place",
    "disk image is malformed": "it is damaged; move it aside or restore a backup in its place",
    "readonly database": "give this user write access to it and to its directory",
    "unable to open database file": "check that its directory is there and that this user may write to it",
}
"""What to do about an error of SQLite, by a part of its text."""


@contextmanager
def storage_errors(name: str) -> Iterator[None]:
    """Raises what goes wrong inside as a StorageError of one line.

    Args:
        name: of the database, as a person knows it: its path, or its URL without the password.

    Raises:
        KeyTakenError: a row with the same key is there already.
        StorageError: anything else that the database or the file system refused.
    """
    try:
        yield
    except (IntegrityError, sqlite3.IntegrityError) as error:
        raise KeyTakenError(f"{name}: {_first_line(error)}") from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise StorageError(_sentence(name, _first_line(error))) from error


def _first_line(error: Exception) -> str:
    """The driver's own words; SQLAlchemy adds the statement and a link, which help nobody in a log."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    original = getattr(error, "orig", None) or error
    return next(iter(str(original).splitlines()), type(original).__name__)


def _sentence(name: str, text: str) -> str:
    advice = next((advice for part, advice in ADVICE.items() if part in text), None)
    return f"{name}: {text}; {advice}" if advice else f"{name}: {text}"
