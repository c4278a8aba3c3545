"""Open databases: transactions and connections."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from storage import Database, Sample, SampleRepository, StorageError, StorageErrorKind, open_database
from storage.database import MAX_IDLE_CONNECTIONS, parse_url

pytestmark = pytest.mark.unit


def test_reading_sees_one_state_while_another_connection_writes(database_in_file: Database) -> None:
    repository = SampleRepository(database_in_file)
    count = "SELECT count(*) FROM samples"
    with database_in_file.reading() as connection:
        assert connection.exec_driver_sql(count).scalar() == 0
        repository.append(Sample(1.0))
        assert connection.exec_driver_sql(count).scalar() == 0


def test_writing_rolls_back_on_an_error(database_in_file: Database) -> None:
    def write_and_fail() -> None:
        with database_in_file.writing() as connection:
            connection.exec_driver_sql("INSERT INTO samples (host_id, at) VALUES (1, 1.0)")
            connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(StorageError):
        write_and_fail()
    assert SampleRepository(database_in_file).count() == 0


def test_writing_rolls_back_on_an_exception_of_the_caller(database_in_file: Database) -> None:
    def write_and_fail() -> None:
        with database_in_file.writing() as connection:
            connection.exec_driver_sql("INSERT INTO samples (host_id, at) VALUES (1, 1.0)")
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    assert SampleRepository(database_in_file).count() == 0


def test_writing_fails_after_the_busy_timeout(url: str) -> None:
    with open_database(url, busy_timeout=0.05) as database, open_database(url) as other, other.writing():
        with pytest.raises(StorageError) as caught:
            SampleRepository(database).append(Sample(1.0))
        assert caught.value.kind is StorageErrorKind.BUSY
        assert SampleRepository(database).count() == 0


def test_writing_succeeds_after_another_writer_is_done(url: str) -> None:
    with open_database(url, busy_timeout=0.05) as database, open_database(url) as other:
        repository = SampleRepository(database)
        with other.writing(), pytest.raises(StorageError):
            repository.append_many([Sample(1.0)])
        repository.append_many([Sample(1.0)])
        assert repository.append(Sample(2.0)) == 2.0


def test_broken_connection_is_replaced(database_in_file: Database) -> None:
    repository = SampleRepository(database_in_file)
    with database_in_file.writing() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StorageError) as caught:
        repository.append(Sample(2.0))
    assert caught.value.kind is StorageErrorKind.READ_ONLY
    assert repository.append(Sample(2.0)) == 2.0


def test_connections_are_kept_up_to_a_number(database_in_file: Database) -> None:
    with database_in_file.reading(), database_in_file.reading(), database_in_file.reading():
        pass
    assert len(database_in_file.pool.idle) == MAX_IDLE_CONNECTIONS
    kept = list(database_in_file.pool.idle)
    with database_in_file.reading() as connection:
        assert connection in kept


def test_size_bytes_includes_the_write_ahead_log(database_in_file: Database) -> None:
    before = database_in_file.size_bytes()
    SampleRepository(database_in_file).append(Sample(1.0))
    assert database_in_file.size_bytes() >= before + 4096
    files = [Path(f"{database_in_file.path}{suffix}") for suffix in ("", "-wal")]
    assert database_in_file.size_bytes() == sum(file.stat().st_size for file in files)


def test_free_bytes_are_those_of_the_file_system(database_in_file: Database, tmp_path: Path) -> None:
    status = os.statvfs(tmp_path)
    free = database_in_file.free_bytes()
    assert free is not None
    assert abs(free - status.f_bavail * status.f_frsize) < 2**30
    shutil.rmtree(tmp_path)
    assert database_in_file.free_bytes() is None


def test_database_in_memory_has_no_files() -> None:
    with open_database("sqlite://") as database:
        assert (database.path, database.size_bytes(), database.lock_path("daemon")) == (None, 0, None)
        assert database.free_bytes() is None
        with pytest.raises(StorageError) as caught:
            database.lock("daemon")
        assert caught.value.kind is StorageErrorKind.NO_FILE


def test_parse_url_makes_the_path_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url, path = parse_url("sqlite:///x.db")
    assert path == tmp_path / "x.db"
    assert url.database == str(path)


@pytest.mark.parametrize("name", ["a?b=c.db", "a#b.db", "a%20b.db", "a b@c.db", "\udcff.db"])
def test_database_may_have_any_path(tmp_path: Path, name: str) -> None:
    with open_database(f"sqlite:///{tmp_path / name}") as database:
        assert database.path == tmp_path / name
    assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql://host/name"])
def test_parse_url_returns_no_path_without_a_file(url: str) -> None:
    assert parse_url(url)[1] is None
