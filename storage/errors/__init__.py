"""Storage errors: kinds, exceptions, and translation from the drivers."""

from storage.errors.exceptions import (
    DuplicateKeyError,
    LockHeldError,
    SchemaTooNewError,
    StorageError,
    UnknownAnomalyError,
    UnknownModelError,
)
from storage.errors.kinds import StorageErrorKind
from storage.errors.translation import is_invalid_statement, kind_of, storage_errors, translated

__all__ = [
    "DuplicateKeyError",
    "LockHeldError",
    "SchemaTooNewError",
    "StorageError",
    "StorageErrorKind",
    "UnknownAnomalyError",
    "UnknownModelError",
    "is_invalid_statement",
    "kind_of",
    "storage_errors",
    "translated",
]
