"""Read-only inspection."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage import Database, Sample, SampleRepository, StorageError, StorageErrorKind, open_database
from storage.inspection import (
    IntegrityCheck,
    check_integrity,
    database_path,
    inspect_files,
    lock_holder,
    open_read_only,
    schema_needs_migration,
)

pytestmark = pytest.mark.unit


@pytest.fixture
def path(url: str, tmp_path: Path) -> Path:
    with open_database(url) as database:
        SampleRepository(database).append_many(Sample(float(at), cpu_usage=0.5) for at in range(2000))
    return tmp_path / "x.db"


def test_database_path_is_none_without_a_file(tmp_path: Path) -> None:
    assert database_path(f"sqlite:///{tmp_path}/x.db") == tmp_path / "x.db"
    assert database_path("sqlite://") is None
    with pytest.raises(StorageError) as caught:
        database_path("nonsense")
    assert caught.value.kind is StorageErrorKind.INVALID_URL


def test_open_read_only_refuses_writes_and_creates_no_files(path: Path) -> None:
    before = sorted(path.parent.iterdir())
    with open_read_only(f"sqlite:///{path}") as database:
        repository = SampleRepository(database)
        assert repository.count() == 2000
        with pytest.raises(StorageError) as caught:
            repository.append(Sample(1e6))
        assert caught.value.kind is StorageErrorKind.READ_ONLY
        assert not schema_needs_migration(database)
    assert sorted(path.parent.iterdir()) == before


def test_open_read_only_refuses_a_missing_database(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        open_read_only(f"sqlite:///{tmp_path}/x.db")
    assert caught.value.kind is StorageErrorKind.MISSING
    assert not list(tmp_path.iterdir())


def test_open_read_only_refuses_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError) as caught:
        open_read_only(f"sqlite:///{tmp_path}/x.db")
    assert caught.value.kind is StorageErrorKind.NOT_A_DATABASE


def test_check_integrity_reports_no_problem_of_a_sound_database(path: Path) -> None:
    assert check_integrity(path, 10.0) == IntegrityCheck(problem="", completed=True)


def test_check_integrity_reports_a_damaged_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 4096)
        file.write(b"\xff" * 4096)
    check = check_integrity(path, 10.0)
    assert check.completed
    assert check.problem


def test_inspect_files_describes_an_unused_database(path: Path) -> None:
    (path.parent / "x.db.broken").touch()
    files = inspect_files(path)
    assert (files.size, files.wal_size) == (path.stat().st_size, 0)
    assert (files.valid_header, files.wal_mode, files.writer) == (True, True, None)
    assert files.unknown_files == ("x.db.broken",)


def test_inspect_files_detects_an_invalid_header(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database")
    assert not inspect_files(tmp_path / "x.db").valid_header


def test_lock_holder_is_the_process_that_holds_the_lock(database_in_file: Database, tmp_path: Path) -> None:
    path = tmp_path / "x.db.daemon.lock"
    assert lock_holder(path) is None
    with database_in_file.lock("daemon"):
        assert lock_holder(path) == str(os.getpid())
    assert lock_holder(path) is None
