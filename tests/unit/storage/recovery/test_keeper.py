"""Database keeper: opening, changes of the files, damage, and one daemon per file."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage import Database, StorageError, StorageErrorKind, open_database
from storage.database import prepare_schema
from storage.recovery.database_file import FileChange
from storage.recovery.events import FATAL
from storage.recovery.keeper import CHECK_INTERVAL, DatabaseKeeper
from storage.recovery.quarantine import quarantined_files

from .conftest import Kept

pytestmark = pytest.mark.unit

FIRST = [float(at) for at in range(1, 301)]

Keep = Callable[[str], Kept]


def kind_of_refusal(kept: Kept) -> StorageErrorKind:
    with pytest.raises(StorageError) as caught:
        kept.keeper.ensure_open()
    assert not kept.keeper.is_open
    return caught.value.kind


def times_in(path: Path) -> list[float]:
    with closing(sqlite3.connect(path)) as connection:
        return [at for (at,) in connection.execute("SELECT at FROM samples ORDER BY at")]


def test_keeper_refuses_transactions_until_the_database_is_open(keep: Keep, url: str) -> None:
    kept = keep(url)
    with pytest.raises(StorageError) as caught:
        kept.times()
    assert caught.value.kind is StorageErrorKind.UNAVAILABLE
    kept.write(1.0)
    assert (kept.times(), kept.keeper.generation, kept.reports) == ([1.0], 1, [])


def test_keeper_opens_a_database_once_its_directory_can_be_written(keep: Keep, tmp_path: Path) -> None:
    (tmp_path / "place").touch()
    kept = keep(f"sqlite:///{tmp_path}/place/x.db")
    kind_of_refusal(kept)
    (tmp_path / "place").unlink()
    kept.write(1.0)
    assert kept.times() == [1.0]


def test_keeper_creates_a_deleted_database_again(kept: Kept, path: Path) -> None:
    path.unlink()
    kept.write(301.0)
    assert kept.times() == [301.0]
    assert [recovery.change for recovery in kept.reports] == [FileChange.REPLACED]
    assert times_in(path) == [301.0]


def test_keeper_leaves_a_moved_database_complete(kept: Kept, path: Path) -> None:
    moved = path.with_name("moved.db")
    path.rename(moved)
    kept.write(301.0)
    assert (kept.times(), times_in(moved)) == ([301.0], FIRST)


def test_keeper_uses_a_database_that_replaced_the_open_one(kept: Kept, path: Path, empty_file: Path) -> None:
    other = path.with_name("other.db")
    shutil.copy(empty_file, other)
    with open_database(f"sqlite:///{other}") as database, database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO samples (host_id, at) VALUES (1, 7.0)")
    other.replace(path)
    kept.write(301.0)
    assert kept.times() == [7.0, 301.0]


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_keeper_keeps_all_samples_when_a_companion_file_is_deleted(kept: Kept, path: Path, suffix: str) -> None:
    Path(f"{path}{suffix}").unlink()
    kept.write(301.0)
    assert kept.times() == [*FIRST, 301.0]
    assert [recovery.change for recovery in kept.reports] == [FileChange.LOG_REPLACED]
    kept.keeper.close()
    assert times_in(path) == [*FIRST, 301.0]


@pytest.mark.parametrize("size", [0, 5000])
def test_keeper_discards_a_truncated_log_without_damage_to_the_database(kept: Kept, path: Path, size: int) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(PASSIVE)")
    kept.write(*(float(at) for at in range(301, 401)))
    os.truncate(f"{path}-wal", size)
    kept.write(500.0)
    assert [recovery.change for recovery in kept.reports] == [FileChange.LOG_TRUNCATED]
    assert kept.times()[:300] == FIRST
    assert kept.times()[-1] == 500.0
    kept.keeper.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 100)


def break_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"garbage" * 15)


def drop_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE samples")


@pytest.mark.parametrize("damage", [zero, halve, break_header, drop_table])
def test_keeper_moves_a_damaged_database_aside_at_the_start(
    keep: Keep, url: str, path: Path, damage: Callable[[Path], None]
) -> None:
    first = keep(url)
    first.write(*FIRST)
    first.keeper.close()
    damage(path)
    content = path.read_bytes()
    kept = keep(url)
    kept.write(301.0)
    assert (kept.times(), kept.keeper.quarantines) == ([301.0], 1)
    (recovery,) = kept.reports
    assert recovery.moved_to is not None
    assert recovery.damage
    assert quarantined_files(path) == [recovery.moved_to]
    assert recovery.moved_to.read_bytes() == content


def test_keeper_creates_a_new_database_after_a_full_disk(
    keep: Keep, url: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keep(url)
    first.write(*FIRST)
    first.keeper.close()
    break_header(path)
    kept = keep(url)

    def without_space(database: Database) -> None:
        if quarantined_files(path):
            raise StorageError("the disk is full", StorageErrorKind.DISK_FULL)
        prepare_schema(database)

    monkeypatch.setattr("storage.recovery.keeper.prepare_schema", without_space)
    for _ in range(3):
        assert kind_of_refusal(kept) is StorageErrorKind.DISK_FULL
    monkeypatch.undo()
    kept.write(301.0)
    assert (kept.times(), kept.keeper.quarantines) == ([301.0], 1)


def test_keeper_repairs_the_header_from_the_log(kept: Kept, path: Path) -> None:
    break_header(path)
    kept.now += CHECK_INTERVAL
    kept.write(301.0)
    assert [recovery.change for recovery in kept.reports] == [FileChange.HEADER_DAMAGED]
    assert (kept.times(), kept.keeper.quarantines) == ([*FIRST, 301.0], 0)


@pytest.mark.parametrize("damage", [zero, halve, break_header])
def test_keeper_moves_a_database_aside_that_is_damaged_while_open(
    kept: Kept, path: Path, damage: Callable[[Path], None]
) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept.write(300.5)
    damage(path)
    kept.now += CHECK_INTERVAL
    kept.write(301.0)
    assert (kept.times(), kept.keeper.quarantines) == ([301.0], 1)
    assert len(quarantined_files(path)) == 1


def test_keeper_examines_a_database_in_which_sqlite_reports_damage(kept: Kept, path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'samples'").fetchone()
        (size,) = other.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    kept.database.pool.close()
    with pytest.raises(StorageError) as caught:
        kept.times()
    assert caught.value.kind is StorageErrorKind.CORRUPT
    kept.write(301.0)
    assert (kept.times(), kept.keeper.quarantines) == ([301.0], 1)


def test_keeper_opens_a_sound_database_again_after_a_false_alarm(kept: Kept, path: Path) -> None:
    kept.database.damage_reported = True
    kept.write(301.0)
    assert (kept.times(), kept.keeper.quarantines) == ([*FIRST, 301.0], 0)
    assert quarantined_files(path) == []


def test_keeper_refuses_transactions_with_one_line(keep: Keep, url: str, path: Path) -> None:
    kept = keep(url)
    kept.write(1.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        kept.keeper.close()
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert kind_of_refusal(kept) is StorageErrorKind.BUSY
    with pytest.raises(StorageError) as caught:
        kept.times()
    assert str(caught.value).startswith(f"{path}: database is locked; ")
    assert len(str(caught.value).splitlines()) == 1


def test_keeper_moves_an_emptied_database_aside_with_its_log(keep: Keep, url: str, path: Path) -> None:
    Path(f"{path}-wal").write_bytes(b"frames")
    os.truncate(path, 0)
    kept = keep(url)
    kept.write(1.0)
    (moved,) = quarantined_files(path)
    assert Path(f"{moved}-wal").read_bytes() == b"frames"


@pytest.mark.parametrize("content", [b"this was never a database" * 100, b"x" * 50])
def test_keeper_never_moves_a_file_of_something_else(keep: Keep, url: str, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert kind_of_refusal(keep(url)) in FATAL
    assert path.read_bytes() == content
    assert quarantined_files(path) == []


def test_keeper_leaves_the_database_of_another_program_unchanged(keep: Keep, url: str, path: Path) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE users (name)")
    content = path.read_bytes()
    assert kind_of_refusal(keep(url)) is StorageErrorKind.FOREIGN_DATABASE
    assert path.read_bytes() == content


def test_keeper_refuses_a_second_daemon_whatever_name_it_uses(kept: Kept, keep: Keep, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    (tmp_path / "other").mkdir()
    symbolic = tmp_path / "other" / "symbolic.db"
    symbolic.symlink_to(path)
    hard = tmp_path / "other" / "hard.db"
    hard.hardlink_to(path)
    for name in (path, symbolic, hard):
        assert kind_of_refusal(keep(f"sqlite:///{name}")) is StorageErrorKind.LOCK_HELD
    Path(f"{path}.daemon.lock").unlink()
    assert kind_of_refusal(keep(f"sqlite:///{path}")) is StorageErrorKind.LOCK_HELD
    kept.keeper.close()
    keep(f"sqlite:///{symbolic}").write(301.0)


def test_keeper_creates_a_deleted_lock_file_again(kept: Kept, path: Path) -> None:
    lock = Path(f"{path}.daemon.lock")
    lock.unlink()
    kept.now += CHECK_INTERVAL
    kept.keeper.ensure_open()
    assert lock.read_text() == f"{os.getpid()}\n"


def test_keeper_waits_for_transactions_before_it_closes_the_files(
    kept: Kept, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.recovery.keeper.PATIENCE", 0.01)
    with kept.database.reading():
        Path(f"{path}-wal").unlink()
        assert kind_of_refusal(kept) is StorageErrorKind.RECOVERING
    kept.write(301.0)
    assert kept.times() == [*FIRST, 301.0]


def test_keeper_needs_a_database_in_a_file() -> None:
    keeper = DatabaseKeeper(open_database("sqlite://"))
    with pytest.raises(StorageError) as caught:
        keeper.ensure_open()
    assert caught.value.kind is StorageErrorKind.NO_FILE
