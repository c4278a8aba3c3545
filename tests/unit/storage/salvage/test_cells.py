"""Cells of B-tree pages."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.salvage.cells import DamagedCellError, decode_record, read_page, records
from storage.salvage.image import DatabaseImage

pytestmark = pytest.mark.unit

VALUES = (
    None,
    0,
    1,
    -1,
    127,
    -129,
    70_000,
    -(2**40),
    2**62,
    0.5,
    -1e300,
    "text",
    "",
    b"bytes",
    "ü" * 3000,
    b"x" * 9000,
)


def test_records_have_the_values_of_each_storage_class(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"CREATE TABLE t ({', '.join(f'c{number}' for number in range(len(VALUES)))})")
        connection.execute(f"INSERT INTO t VALUES ({', '.join('?' * len(VALUES))})", VALUES)
        connection.execute("INSERT INTO t (rowid, c0) VALUES (-5, 7)")
    with DatabaseImage(path) as image:
        page = read_page(image, 2)
        assert page is not None
        rows = [record for record in records(image, page) if record is not None]
    assert rows[0][0] == -5
    assert rows[1] == (1, list(VALUES))


@pytest.mark.parametrize("payload", [b"\x02", b"\x02\x01", b"\x02\x0a", b"\x03\x01", b"\x81", b"\x02\x01\x01\x01"])
def test_decode_record_refuses_lengths_that_do_not_add_up(payload: bytes) -> None:
    with pytest.raises((DamagedCellError, IndexError)):
        decode_record(payload)


def test_read_page_refuses_a_page_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(bytes(4096) + b"\x0d\x00\x00\xff\xff".ljust(4096))
    with DatabaseImage(path) as image:
        assert read_page(image, 1) is None
        assert read_page(image, 2) is None
        assert read_page(image, 3) is None
