"""Inter-process locks."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from storage import Database, ExclusiveLock, LockHeldError, StorageError, StorageErrorKind, is_locked

pytestmark = pytest.mark.unit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.lock"


def test_lock_is_released_after_its_block(path: Path) -> None:
    assert not is_locked(path)
    assert not path.exists()
    for _ in range(2):
        with ExclusiveLock(path):
            assert is_locked(path)
            assert path.read_text() == f"{os.getpid()}\n"
        assert not is_locked(path)


def test_lock_cannot_be_acquired_twice_by_one_process(path: Path) -> None:
    with ExclusiveLock(path), pytest.raises(LockHeldError, match=f"process {os.getpid()}"), ExclusiveLock(path):
        pass


def test_lock_waits_for_its_timeout(path: Path) -> None:
    started = time.monotonic()
    with ExclusiveLock(path), pytest.raises(LockHeldError), ExclusiveLock(path, wait=0.3):
        pass
    assert 0.3 <= time.monotonic() - started < 2


def test_lock_is_acquired_on_a_full_file_system(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", refuse)
    with ExclusiveLock(path):
        assert is_locked(path)
        with pytest.raises(LockHeldError, match="process unknown"), ExclusiveLock(path):
            pass


def test_lock_in_a_missing_directory_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught, ExclusiveLock(tmp_path / "missing" / "x.lock"):
        pass
    assert caught.value.kind is StorageErrorKind.LOCK_UNAVAILABLE


def test_lock_in_a_directory_without_access_is_unavailable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> os.stat_result:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "stat", refuse)
    monkeypatch.setattr(os, "lstat", refuse)
    with pytest.raises(StorageError, match="Permission denied") as caught:
        is_locked(path)
    assert caught.value.kind is StorageErrorKind.LOCK_UNAVAILABLE


def test_lock_is_never_acquired_through_a_symbolic_link(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("kept")
    for name, destination in (("a.lock", target), ("b.lock", tmp_path / "absent")):
        (tmp_path / name).symlink_to(destination)
        with pytest.raises(StorageError), ExclusiveLock(tmp_path / name):
            pass
    assert target.read_text() == "kept"
    assert not (tmp_path / "absent").exists()


def test_locks_of_a_database_are_independent_files(database_in_file: Database, tmp_path: Path) -> None:
    assert database_in_file.lock_path("retrain") == tmp_path / "x.db.retrain.lock"
    with database_in_file.lock("daemon"), database_in_file.lock("retrain"):
        assert is_locked(tmp_path / "x.db.daemon.lock")
