"""Opening databases: file modes, pragmas, and refusals."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import Sample, SampleRepository, StorageError, StorageErrorKind, open_database

pytestmark = pytest.mark.integration


def refusal(url: str) -> StorageError:
    """Return the error of opening a database, after checking that its message is one line."""
    with pytest.raises(StorageError) as caught:
        open_database(url)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.fixture
def no_umask() -> Iterator[None]:
    previous = os.umask(0)
    yield
    os.umask(previous)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("no_umask")
def test_open_database_creates_files_for_its_user_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.db"
    with open_database(f"sqlite:///{path}") as database, database.lock("daemon"):
        SampleRepository(database).append(Sample(1.0))
        names = sorted(file.name for file in path.parent.iterdir())
        assert names == ["x.db", "x.db-shm", "x.db-wal", "x.db.daemon.lock"]
        assert {mode(file) for file in path.parent.iterdir()} == {0o600}
    assert mode(path.parent) == 0o700


def test_open_database_sets_the_pragmas_of_every_connection(tmp_path: Path) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    expected |= {"journal_size_limit": 16 * 2**20, "temp_store": 2}
    with (
        open_database(f"sqlite:///{tmp_path}/x.db") as database,
        database.reading() as first,
        database.reading() as second,
    ):
        for connection in (first, second):
            pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected}
            assert pragmas == expected


def test_open_database_without_create_refuses_a_missing_database(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        open_database(f"sqlite:///{tmp_path}/x.db", create=False)
    assert caught.value.kind is StorageErrorKind.MISSING
    assert not list(tmp_path.iterdir())


def test_open_database_refuses_garbage_and_leaves_it_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"this was never a database" * 100)
    error = refusal(f"sqlite:///{path}")
    assert error.kind is StorageErrorKind.NOT_A_DATABASE
    assert str(error).startswith(f"{path}: ")
    assert path.read_bytes() == b"this was never a database" * 100


def test_open_database_refuses_a_damaged_page(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    open_database(f"sqlite:///{path}").close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)
    error = refusal(f"sqlite:///{path}")
    assert error.kind is StorageErrorKind.CORRUPT
    assert str(error).startswith(f"{path}: ")


def test_open_database_refuses_a_directory(tmp_path: Path) -> None:
    assert refusal(f"sqlite:///{tmp_path}").kind is StorageErrorKind.NOT_A_FILE


def test_open_database_refuses_a_path_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = refusal(f"sqlite:///{tmp_path}/file/x.db")
    assert error.kind is StorageErrorKind.FILE_SYSTEM
    assert str(error).startswith(f"{tmp_path}/file/x.db: ")


@pytest.mark.parametrize("url", ["nonsense", "oracle9://x/y"])
def test_open_database_refuses_an_unusable_url(url: str) -> None:
    assert refusal(url)


def test_open_database_keeps_passwords_out_of_messages() -> None:
    assert "secret" not in str(refusal("sqlite+nothing://user:secret@host/x"))
    assert not Path("x").exists()


OPEN_AS_NOBODY = """
import os, sys
from storage import StorageError, open_database
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
try:
    open_database(sys.argv[1])
except StorageError as error:
    print(error.kind.name, error)
"""


@pytest.mark.parametrize("bits", [0o444, 0o200])
def test_open_database_refuses_a_file_without_access(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "x.db"
    open_database(f"sqlite:///{path}").close()
    path.chmod(bits)
    base = Path(tempfile.gettempdir())
    for directory in [tmp_path, *tmp_path.parents]:
        if base in directory.parents:
            directory.chmod(0o755)
    process = subprocess.run(
        [sys.executable, "-c", OPEN_AS_NOBODY, f"sqlite:///{path}"], capture_output=True, text=True, check=True
    )
    assert process.stdout.startswith(f"NO_ACCESS {path}: ")
