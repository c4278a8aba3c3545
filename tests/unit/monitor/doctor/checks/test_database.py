"""Tests of the checks of the database."""

from dataclasses import replace

import pytest

from monitor.doctor.checks.database import RESTORE, assess_refusal, assess_write_ahead_log, assess_write_lock
from monitor.documents.doctor import CheckStatus
from storage import StorageError
from storage.errors import StorageErrorKind
from storage.inspection import DatabaseFiles

pytestmark = pytest.mark.unit

FILES = DatabaseFiles(1000, 0, valid_header=True, wal_mode=True, writer=None, unknown_files=())


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, CheckStatus.OK),
        ({"wal_size": 2**28}, CheckStatus.WARNING),
        ({"wal_mode": False}, CheckStatus.WARNING),
        ({"valid_header": False}, CheckStatus.FAILED),
    ],
)
def test_write_ahead_log_is_assessed_by_header_mode_and_size(changes, status):
    assert assess_write_ahead_log(replace(FILES, **changes), "/x/monitor.db").status is status


def test_write_lock_names_the_process_that_holds_it():
    assert assess_write_lock(None).status is CheckStatus.OK
    result = assess_write_lock(77)
    assert (result.status, "77" in result.message) == (CheckStatus.FAILED, True)


@pytest.mark.parametrize(
    ("kind", "running", "status", "fix"),
    [
        (StorageErrorKind.MISSING, False, CheckStatus.WARNING, "start the daemon"),
        (StorageErrorKind.MISSING, True, CheckStatus.FAILED, "restart the daemon"),
        (StorageErrorKind.SCHEMA_TOO_NEW, False, CheckStatus.FAILED, "release that wrote it"),
        (StorageErrorKind.FOREIGN_DATABASE, False, CheckStatus.FAILED, "storage.url"),
        (StorageErrorKind.BUSY, True, CheckStatus.FAILED, "fuser -v /x/monitor.db"),
        (StorageErrorKind.FILE_SYSTEM, False, CheckStatus.FAILED, "as root"),
        (StorageErrorKind.CANNOT_OPEN, False, CheckStatus.FAILED, "as root"),
        (StorageErrorKind.NOT_A_DATABASE, False, CheckStatus.FAILED, RESTORE),
        (StorageErrorKind.CORRUPT, False, CheckStatus.FAILED, RESTORE),
    ],
)
def test_refusal_has_a_fix_for_each_kind(kind, running, status, fix):
    result = assess_refusal(StorageError("/x/monitor.db: refused", kind), "/x/monitor.db", running=running)
    assert result.status is status
    assert fix in result.fix
