"""Table reader."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage.migrations.runner import HEAD
from storage.salvage import DatabaseImage, TableReader

from .conftest import BLOBS, PAGE, SAMPLES, write_page

pytestmark = pytest.mark.unit

Read = Callable[[str], list[dict[str, object]]]


def times(rows: list[dict[str, object]]) -> list[float]:
    return sorted(float(str(row["at"])) for row in rows)


def test_rows_of_an_undamaged_file_are_those_of_sqlite(file: Path, read: Read) -> None:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        for name in ("samples", "models", "training_runs", "activations", "serving", "alembic_version"):
            expected = [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')]
            assert sorted(read(name), key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("length", [100, PAGE])
@pytest.mark.parametrize("make", [bytes, os.urandom])
def test_rows_survive_a_damaged_first_page(file: Path, read: Read, make: Callable[[int], bytes], length: int) -> None:
    write_page(file, 1, make(length))
    assert times(read("samples")) == [1000.0 + second for second in range(SAMPLES)]
    assert [row["blob"] for row in read("models")] == list(BLOBS)
    assert len(read("training_runs")) == 1
    assert [row["version_num"] for row in read("alembic_version")] == [HEAD]


def test_damaged_page_costs_its_rows_only(file: Path, read: Read, sample_page: int) -> None:
    write_page(file, sample_page, os.urandom(PAGE))
    with DatabaseImage(file) as image:
        reader = TableReader(image)
        rows = list(reader.rows("samples"))
    assert SAMPLES - 200 < len(rows) < SAMPLES
    assert reader.counts.unreadable_pages + reader.counts.damaged["samples"] > 0
    assert len(read("models")) == 2


def test_damaged_root_page_costs_no_row_of_its_leaves(file: Path, read: Read) -> None:
    with closing(sqlite3.connect(file)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'samples'").fetchone()
    write_page(file, root, bytes(PAGE))
    # The root page of a table WITHOUT ROWID has rows of its own.
    assert SAMPLES - 100 < len(read("samples")) < SAMPLES


def test_truncated_file_yields_the_rows_of_its_pages(file: Path, read: Read) -> None:
    os.truncate(file, file.stat().st_size * 3 // 4)
    assert 100 < len(read("samples")) < SAMPLES


def test_damaged_cell_costs_its_row_only(file: Path, sample_page: int) -> None:
    content = file.read_bytes()
    start = (sample_page - 1) * PAGE
    cell = int.from_bytes(content[start + 8 : start + 10], "big")
    with file.open("r+b") as opened:
        opened.seek(start + cell + 1)
        opened.write(b"\x7f")
    with DatabaseImage(file) as image:
        reader = TableReader(image)
        assert len(list(reader.rows("samples"))) == SAMPLES - 1
    assert reader.counts.damaged == {"samples": 1}
    assert reader.counts.unreadable_pages == 0


def test_deleted_rows_do_not_come_back(file: Path, read: Read) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM samples WHERE at >= 1500")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'models'").fetchone()
    # A damaged page makes the reader search all pages.
    write_page(file, root, bytes(PAGE))
    assert len(read("models")) == 2
    with DatabaseImage(file) as image:
        rows = [row for _, row in TableReader(image).rows("models", "samples")]
    assert times([row for row in rows if "cpu_usage" in row]) == [1000.0 + second for second in range(500)]


def test_cycle_of_pages_ends(file: Path, read: Read) -> None:
    with closing(sqlite3.connect(file)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'samples'").fetchone()
    with file.open("r+b") as opened:
        opened.seek((root - 1) * PAGE + 8)
        opened.write(root.to_bytes(4, "big"))
    assert len(read("samples")) == SAMPLES


def test_database_of_another_program_is_named(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    with DatabaseImage(path) as image:
        reader = TableReader(image)
    assert (reader.foreign, reader.has_schema) == ("songs", False)


def test_random_damage_raises_nothing(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for position in range(0, len(content), 97):
        content[position] = position * 31 % 256
    file.write_bytes(content)
    with DatabaseImage(file) as image:
        reader = TableReader(image)
        for name in ("models", "samples", "training_runs"):
            list(reader.rows(name))
