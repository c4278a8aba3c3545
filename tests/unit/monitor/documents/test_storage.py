"""Storage status document, and its sentences."""

import pytest

from monitor.documents.storage import (
    MigratedTable,
    StorageStatus,
    migration_document,
    quarantine_notice,
    storage_problems,
    storage_status,
)
from monitor.sampling.storage_state import StorageState
from storage import StorageErrorKind
from storage.transfer import TableCopy

pytestmark = pytest.mark.unit


def test_storage_status_has_the_code_of_the_problem():
    status = storage_status(StorageState(StorageErrorKind.DISK_FULL, "x.db: disk full", samples_buffered=4))
    assert status == StorageStatus("disk full", "x.db: disk full", 4, 0, 0, 0)


def test_storage_problems_are_empty_while_samples_are_stored():
    assert storage_problems(storage_status(StorageState(samples_buffered=1))) == ()


def test_storage_problems_name_waiting_and_lost_samples():
    state = StorageState(StorageErrorKind.DISK_FULL, "x.db: disk full", samples_buffered=40, samples_dropped=7)
    waiting, lost = storage_problems(storage_status(state))
    assert "40 samples in memory" in waiting
    assert "x.db: disk full" in waiting
    assert "7 samples lost" in lost


def test_quarantine_notice_names_the_command():
    assert quarantine_notice(0) == ""
    assert "2 damaged databases" in quarantine_notice(2)
    assert "monitor doctor --salvage FILE" in quarantine_notice(2)


def test_migration_document_has_the_totals():
    document = migration_document("a", "b", [TableCopy("samples", 5, 1, "00"), TableCopy("models", 2, 0, "01")])
    assert (document.rows, document.damaged) == (7, 1)
    assert document.tables[0] == MigratedTable("samples", 5, 1, "00")
