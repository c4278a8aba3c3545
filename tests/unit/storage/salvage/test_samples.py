"""Salvaged samples: rows and blocks of a damaged database."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from storage import COMPACTED_TABLES, Compactor, Prediction, PredictionRepository, Sample, SampleRepository
from storage.database import open_database
from storage.salvage import DatabaseImage, TableReader, sample_batches

from .conftest import write_page

pytestmark = pytest.mark.unit

HOUR = 3600.0
START = 486_111 * HOUR


@pytest.fixture
def compressed(url: str, tmp_path: Path) -> Path:
    """A database with three compressed hours and the rows of another one, and compressed predictions."""
    rng = np.random.default_rng(0)
    with open_database(url) as database:
        values = rng.random((2880, 4)).tolist()
        SampleRepository(database).append_many(Sample(START + 5.0 * n, *row) for n, row in enumerate(values))
        SampleRepository(database, host_id=2).append(Sample(START))
        predictions = [Prediction(START + 5.0 * n, 300.0, 1, float(rng.random()), 0.1, 0.6) for n in range(2160)]
        PredictionRepository(database).append(predictions)
        for name in COMPACTED_TABLES:
            for number in range(3):
                Compactor(database).compact_next(name, START + number * HOUR, START + 3 * HOUR)
    return tmp_path / "x.db"


def stored(path: Path) -> np.ndarray:
    with open_database(f"sqlite:///{path}") as database:
        return SampleRepository(database).between(0.0, 1e12)


def salvaged(path: Path) -> tuple[np.ndarray, Counter[str]]:
    """Return all salvaged samples in order of time, and the counts of damaged rows."""
    with DatabaseImage(path) as image:
        reader = TableReader(image)
        rows = np.concatenate(list(sample_batches(reader, 100)))
    return rows[np.argsort(rows[:, 0])], reader.counts.damaged


def test_rows_and_blocks_are_salvaged_bit_for_bit(compressed: Path) -> None:
    rows, damaged = salvaged(compressed)
    assert rows.tobytes() == stored(compressed).tobytes()
    assert (len(rows), damaged) == (2880, {})


@pytest.mark.parametrize("content", [bytes(4096), os.urandom(4096)])
def test_blocks_survive_a_damaged_first_page(compressed: Path, content: bytes) -> None:
    expected = stored(compressed)
    write_page(compressed, 1, content)
    rows, _ = salvaged(compressed)
    assert rows.tobytes() == expected.tobytes()


def test_damaged_block_costs_its_hour_only(compressed: Path) -> None:
    with closing(sqlite3.connect(compressed)) as connection, connection:
        connection.execute("UPDATE sample_blocks SET data = zeroblob(length(data)) WHERE start = ?", (START + HOUR,))
    rows, damaged = salvaged(compressed)
    assert sorted(set(rows[:, 0] // HOUR * HOUR)) == [START, START + 2 * HOUR, START + 3 * HOUR]
    assert damaged == {"samples": 720}


def test_damaged_overflow_page_costs_its_hour_only(compressed: Path) -> None:
    with closing(sqlite3.connect(compressed)) as connection:
        query = (
            "SELECT pageno FROM dbstat WHERE name = 'sample_blocks' AND pagetype = 'overflow' ORDER BY pageno LIMIT 1"
        )
        try:
            (number,) = connection.execute(query).fetchone()
        except sqlite3.OperationalError:
            pytest.skip("this SQLite has no table dbstat")
    write_page(compressed, number, os.urandom(4096))
    rows, damaged = salvaged(compressed)
    assert len(rows) == 2160
    assert damaged["samples"] + damaged["sample_blocks"] > 0
