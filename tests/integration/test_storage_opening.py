"""Opening a database: its files, its pragmas, and what is refused in one line."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import Database, Sample, SampleRepository, StorageError, StorageErrorKind, open_database

pytestmark = pytest.mark.integration


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(f"sqlite:///{tmp_path}/new/x.db") as opened:
        yield opened


def refusal(url: str) -> str:
    with pytest.raises(StorageError) as caught:
        open_database(url)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path | str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


@pytest.mark.usefixtures("no_umask")
def test_nobody_else_may_read_any_file_of_the_database(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.db"
    with open_database(f"sqlite:///{path}") as database, database.lock("daemon"):
        SampleRepository(database).append(Sample(1.0))
        names = sorted(one.name for one in path.parent.iterdir())
        assert names == ["x.db", "x.db-shm", "x.db-wal", "x.db.daemon.lock", "x.db.migrate.lock"]
        assert {mode(one) for one in path.parent.iterdir()} == {0o600}
    assert mode(path.parent) == 0o700


def test_the_pragmas_are_in_force_on_every_connection(database: Database) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    expected |= {"journal_size_limit": 16 * 2**20, "temp_store": 2}
    with database.reading() as first, database.reading() as second:
        for connection in (first, second):
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected}
            assert found == expected


def test_the_patience_with_other_writers_is_as_asked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    with open_database(url, busy_timeout=0.05) as database, open_database(url) as other, other.writing():
        with pytest.raises(StorageError, match=r"x\.db: database is locked; another process"):
            SampleRepository(database).append(Sample(1.0))
        assert SampleRepository(database).count() == 0


def test_writing_goes_on_once_another_writer_is_done(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    with open_database(url, busy_timeout=0.05) as database, open_database(url) as other:
        store = SampleRepository(database)
        with other.writing(), pytest.raises(StorageError):
            store.append_many([Sample(1.0)])
        store.append_many([Sample(1.0)])
        assert store.append(Sample(2.0)) == 2.0


def test_a_reader_sees_one_state_while_another_writes(database: Database) -> None:
    store = SampleRepository(database)
    with database.reading() as connection:
        count = "SELECT count(*) FROM samples"
        assert connection.exec_driver_sql(count).scalar() == 0
        store.append(Sample(1.0))
        assert connection.exec_driver_sql(count).scalar() == 0


def test_an_error_undoes_the_whole_transaction(database: Database) -> None:
    def half() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO samples (host_id, at) VALUES (1, 1.0)")
            connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(StorageError, match="no such table: nowhere"):
        half()
    assert SampleRepository(database).count() == 0


def test_the_size_counts_the_log(database: Database) -> None:
    before = database.size_bytes()
    SampleRepository(database).append(Sample(1.0))
    assert database.path is not None
    assert database.size_bytes() >= before + 4096
    assert database.size_bytes() == sum(Path(f"{database.path}{end}").stat().st_size for end in ("", "-wal"))


def test_the_free_space_is_that_of_its_file_system_and_unknown_once_that_is_gone(database: Database) -> None:
    assert database.path is not None
    found = os.statvfs(database.path.parent)
    free = database.free_bytes()
    assert free is not None
    assert abs(free - found.f_bavail * found.f_frsize) < 2**30
    shutil.rmtree(database.path.parent)
    assert database.free_bytes() is None


def test_a_database_in_memory_has_no_files(tmp_path: Path) -> None:
    with open_database("sqlite://") as database:
        assert (database.path, database.size_bytes(), database.lock_path("daemon")) == (None, 0, None)
        assert database.free_bytes() is None
        with pytest.raises(StorageError, match="without a file has no locks"):
            database.lock("daemon")


def test_a_relative_path_stays_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_database("sqlite:///x.db") as database:
        assert database.path == tmp_path / "x.db"


def test_garbage_is_refused_by_name_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"this was never a database" * 100)
    assert refusal(f"sqlite:///{path}").startswith(f"{path}: file is not a database; move it aside")
    assert path.read_bytes() == b"this was never a database" * 100


def test_a_broken_page_is_reported_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    open_database(f"sqlite:///{path}").close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)
    assert refusal(f"sqlite:///{path}").startswith(f"{path}: ")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert refusal(f"sqlite:///{tmp_path}") == f"{tmp_path}: not a file; remove it or name another database"


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refusal(f"sqlite:///{tmp_path}/file/x.db").startswith(f"{tmp_path}/file/x.db: ")


@pytest.mark.parametrize("url", ["nonsense", "oracle9://x/y"])
def test_a_url_that_means_nothing_is_refused(url: str) -> None:
    assert refusal(url)


def test_a_password_is_never_in_a_message() -> None:
    assert "secret" not in refusal("sqlite+nothing://user:secret@host/x")
    assert not Path("x").exists()


AS_NOBODY = """
import os, sys
from storage import StorageError, open_database
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
try:
    open_database(sys.argv[1])
except StorageError as error:
    print(error)
"""


@pytest.mark.parametrize(("bits", "message"), [(0o444, "may not read and write it"), (0o200, "may not read")])
def test_a_file_of_someone_else_is_refused(tmp_path: Path, bits: int, message: str) -> None:
    path = tmp_path / "x.db"
    open_database(f"sqlite:///{path}").close()
    path.chmod(bits)
    for directory in [tmp_path, *tmp_path.parents][:3]:
        directory.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, f"sqlite:///{path}"], capture_output=True, text=True, check=True
    )
    assert message in done.stdout
    assert done.stdout.startswith(f"{path}: ")


def test_a_connection_whose_file_broke_is_replaced_at_the_next_call(database: Database) -> None:
    store = SampleRepository(database)
    store.append(Sample(1.0))
    with database.writing() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StorageError) as caught:
        store.append(Sample(2.0))
    assert caught.value.kind is StorageErrorKind.READ_ONLY
    assert store.append(Sample(2.0)) == 2.0
