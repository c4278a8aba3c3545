"""Storage errors: the exceptions of the package.

StorageError                    anything the database or its file system refuses
├── SchemaTooNewError           opening a database that a newer release wrote
├── LockHeldError               acquiring a lock that another process holds
├── DuplicateKeyError           inserting a row with the primary key of a stored row
├── UnknownModelError           requesting a model that the host does not have
└── UnknownAnomalyError         requesting an anomaly or a maintenance window that the host does not have
"""

from __future__ import annotations

from typing import ClassVar

from storage.errors.kinds import StorageErrorKind


class StorageError(Exception):
    """Raised if the database or its file system refuses an operation.

    Attributes:
        kind: the cause, for programs; the message is for people and is never parsed.
    """

    default_kind: ClassVar[StorageErrorKind] = StorageErrorKind.OTHER

    def __init__(self, message: str, kind: StorageErrorKind | None = None) -> None:
        super().__init__(message)
        self.kind = kind or self.default_kind

    @classmethod
    def of_kind(cls, kind: StorageErrorKind, name: str, detail: str) -> StorageError:
        """Return an error whose message is one line: name, detail, and the advice for this kind.

        Args:
            kind: the cause.
            name: path of the database, or its URL without the password.
            detail: the problem in a few words.
        """
        advice = f"; {kind.advice}" if kind.advice else ""
        return cls(f"{name}: {detail}{advice}", kind)


class SchemaTooNewError(StorageError):
    """Raised on opening a database that a newer release wrote."""

    default_kind = StorageErrorKind.SCHEMA_TOO_NEW


class LockHeldError(StorageError):
    """Raised on acquiring a lock that another process holds."""

    default_kind = StorageErrorKind.LOCK_HELD


class DuplicateKeyError(StorageError):
    """Raised on inserting a row with the primary key of a stored row."""

    default_kind = StorageErrorKind.DUPLICATE_KEY


class UnknownModelError(StorageError):
    """Raised for a model ID that the host does not have."""

    default_kind = StorageErrorKind.UNKNOWN_MODEL


class UnknownAnomalyError(StorageError):
    """Raised for the ID of an anomaly or a maintenance window that the host does not have."""

    default_kind = StorageErrorKind.UNKNOWN_ANOMALY
