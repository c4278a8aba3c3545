"""Database image."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage import StorageError, StorageErrorKind
from storage.salvage import DatabaseImage, TableReader

pytestmark = pytest.mark.unit


def in_use(directory: Path) -> Path:
    """Copy a database with ten committed rows in the write-ahead log; an eleventh is not committed."""
    source = directory / "source.db"
    with closing(sqlite3.connect(source, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for number in range(10):
            connection.execute("INSERT INTO alembic_version VALUES (?)", (f"{number:04}",))
        copy = directory / "copy.db"
        shutil.copy(source, copy)
        shutil.copy(f"{source}-wal", f"{copy}-wal")
    return copy


def revisions(path: Path) -> list[object]:
    with DatabaseImage(path) as image:
        return [row["version_num"] for _, row in TableReader(image).rows("alembic_version")]


def test_log_replaces_pages_of_the_file_without_a_change(tmp_path: Path) -> None:
    copy = in_use(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert revisions(copy) == [f"{number:04}" for number in range(10)]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_missing_log_yields_the_rows_of_the_file(tmp_path: Path) -> None:
    copy = in_use(tmp_path)
    Path(f"{copy}-wal").unlink()
    assert revisions(copy) == []


@pytest.mark.parametrize("keep", [10, 100, 4096 * 5])
def test_truncated_log_yields_its_first_commits(tmp_path: Path, keep: int) -> None:
    copy = in_use(tmp_path)
    os.truncate(f"{copy}-wal", keep)
    assert len(revisions(copy)) == max(0, (keep - 32) // 4120)


def test_flipped_bit_ends_the_log(tmp_path: Path) -> None:
    copy = in_use(tmp_path)
    log = bytearray(Path(f"{copy}-wal").read_bytes())
    log[32 + 4120 * 3 + 2000] ^= 1
    Path(f"{copy}-wal").write_bytes(log)
    assert len(revisions(copy)) == 3


def test_page_outside_the_file_is_empty(file: Path) -> None:
    with DatabaseImage(file) as image:
        assert len(image.page(1)) == image.page_size == 4096
        assert image.page(0) == image.page(image.pages + 1) == b""


def test_page_size_is_that_of_the_header(tmp_path: Path) -> None:
    path = tmp_path / "large.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA page_size = 65536")
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES ('0009')")
    assert revisions(path) == ["0009"]


def test_missing_file_and_directory_are_refused(tmp_path: Path) -> None:
    for path, kind in ((tmp_path / "x", StorageErrorKind.MISSING), (tmp_path, StorageErrorKind.NOT_A_FILE)):
        with pytest.raises(StorageError) as caught:
            DatabaseImage(path)
        assert caught.value.kind is kind
