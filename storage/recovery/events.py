"""Recovery events: changes of the files, and errors that no recovery removes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from storage.errors import StorageError, StorageErrorKind
from storage.recovery.database_file import FileChange

FATAL = frozenset(
    {
        StorageErrorKind.SCHEMA_TOO_NEW,
        StorageErrorKind.FOREIGN_DATABASE,
        StorageErrorKind.LOCK_HELD,
        StorageErrorKind.NOT_A_DATABASE,
        StorageErrorKind.NO_FILE,
        StorageErrorKind.INVALID_URL,
        StorageErrorKind.DRIVER_MISSING,
    }
)
"""Kinds of errors at the start that only a person can remove: another daemon, another program's or release's file."""


class OpeningRefusedError(StorageError):
    """Raised on the first opening of a database for a cause in FATAL."""


EXAMINED = frozenset({FileChange.TRUNCATED, FileChange.HEADER_DAMAGED, FileChange.ERRORS})
"""Changes that suggest damage, which a check confirms."""


@dataclass(frozen=True)
class Recovery:
    """Recovery of a database whose files had changed.

    Attributes:
        change: the change.
        damage: the damage that SQLite found; empty if there is none.
        moved_to: path to which the damaged database was moved; None if it was not moved.
    """

    change: FileChange
    damage: str = ""
    moved_to: Path | None = None
