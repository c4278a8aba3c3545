"""Translation of driver and file system errors."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url

from storage import DuplicateKeyError, StorageError, StorageErrorKind
from storage.errors import SchemaTooNewError, storage_errors

pytestmark = pytest.mark.unit


def translated(error: Exception) -> StorageError:
    with pytest.raises(StorageError) as caught, storage_errors("x.db"):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StorageErrorKind.DISK_FULL),
        (errno.EIO, StorageErrorKind.IO_ERROR),
        (errno.EROFS, StorageErrorKind.READ_ONLY),
        (errno.EACCES, StorageErrorKind.NO_ACCESS),
        (errno.EDQUOT, StorageErrorKind.QUOTA_EXCEEDED),
        (errno.EMFILE, StorageErrorKind.TOO_MANY_FILES),
        (errno.ENOTDIR, StorageErrorKind.FILE_SYSTEM),
    ],
)
def test_os_error_is_translated_by_its_number(number: int, kind: StorageErrorKind) -> None:
    assert translated(OSError(number, "reason")).kind is kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, StorageErrorKind.BUSY),
        (sqlite3.SQLITE_FULL, StorageErrorKind.DISK_FULL),
        (sqlite3.SQLITE_IOERR_READ, StorageErrorKind.IO_ERROR),
        (sqlite3.SQLITE_CORRUPT, StorageErrorKind.CORRUPT),
        (sqlite3.SQLITE_READONLY_DBMOVED, StorageErrorKind.READ_ONLY),
        (sqlite3.SQLITE_ERROR, StorageErrorKind.OTHER),
    ],
)
def test_sqlite_error_is_translated_by_its_primary_code(code: int, kind: StorageErrorKind) -> None:
    error = sqlite3.OperationalError("reason")
    error.sqlite_errorcode = code
    assert translated(error).kind is kind


def test_sqlite_error_of_a_missing_directory_has_a_kind(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught, storage_errors("x.db"):
        sqlite3.connect(tmp_path / "absent" / "x.db")
    assert caught.value.kind is StorageErrorKind.CANNOT_OPEN


def test_integrity_error_is_a_duplicate_key() -> None:
    error = translated(sqlite3.IntegrityError("UNIQUE constraint failed"))
    assert isinstance(error, DuplicateKeyError)
    assert error.kind is StorageErrorKind.DUPLICATE_KEY


def test_invalid_url_has_a_kind() -> None:
    with pytest.raises(StorageError) as caught, storage_errors("database URL"):
        make_url("nonsense")
    assert caught.value.kind is StorageErrorKind.INVALID_URL


def test_message_is_one_line_of_name_detail_and_advice() -> None:
    error = translated(OSError(errno.ENOSPC, "No space left on device"))
    assert str(error) == f"x.db: No space left on device; {StorageErrorKind.DISK_FULL.advice}"


def test_message_has_no_advice_if_its_kind_has_none() -> None:
    assert str(translated(OSError(errno.ENOTDIR, "Not a directory"))) == "x.db: Not a directory"


def test_storage_error_passes_unchanged() -> None:
    error = SchemaTooNewError("x.db: newer")
    assert translated(error) is error
    assert error.kind is StorageErrorKind.SCHEMA_TOO_NEW


def test_kinds_have_distinct_codes() -> None:
    assert len({kind.value for kind in StorageErrorKind}) == len(StorageErrorKind)
