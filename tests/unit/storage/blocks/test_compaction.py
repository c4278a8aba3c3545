"""Compaction: complete hours only, one transaction, damage left as it is."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from storage import COMPACTED_TABLES, Compactor, Database, Prediction, Sample, SampleRepository, open_database
from storage.blocks import compaction
from storage.blocks.series import ALL_SERIES
from storage.blocks.tables import sample_blocks
from storage.schema import samples
from tests.postgresql import ON_SQLITE

from .conftest import START, Stored

pytestmark = pytest.mark.unit

HOUR = 3600.0


@pytest.fixture
def repository(database: Database) -> SampleRepository:
    return SampleRepository(database)


def fill(database: Database, hours: int, step: float = 300.0) -> list[Sample]:
    added = [Sample(START + offset * step, cpu_usage=offset / 1000) for offset in range(int(hours * HOUR / step))]
    SampleRepository(database).append_many(added)
    return added


def counts(database: Database) -> tuple[int, int]:
    """Return the numbers of rows and of blocks of samples."""
    with database.reading() as connection:
        rows, blocks = (connection.scalar(select(func.count()).select_from(t)) for t in (samples, sample_blocks))
    return int(rows or 0), int(blocks or 0)


def test_compaction_replaces_the_oldest_complete_hour(database: Database) -> None:
    fill(database, 3)
    hour = Compactor(database).compact_next("samples", 0.0, START + 2 * HOUR)
    assert hour is not None
    assert (hour.start, hour.rows) == (START, 12)
    assert counts(database) == (24, 1)


def test_compaction_leaves_an_incomplete_hour(database: Database) -> None:
    fill(database, 2)
    assert Compactor(database).compact_next("samples", START + HOUR, START + 2 * HOUR - 1) is None
    assert counts(database) == (24, 0)


def test_compaction_leaves_rows_of_other_hosts(database: Database) -> None:
    SampleRepository(database, host_id=2).append(Sample(START))
    assert Compactor(database).compact_next("samples", 0.0, START + 9 * HOUR) is None


def test_hour_with_too_many_rows_is_left_as_it_is(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(database, 2)
    monkeypatch.setattr(compaction, "MAX_ROWS", 11)
    hour = Compactor(database).compact_next("samples", 0.0, START + 2 * HOUR)
    assert hour is not None
    assert (hour.rows, counts(database)) == (0, (24, 0))
    monkeypatch.setattr(compaction, "MAX_ROWS", 12)
    hour = Compactor(database).compact_next("samples", 0.0, START + 2 * HOUR)
    assert hour is not None
    assert (hour.rows, counts(database)) == (12, (12, 1))


def test_compaction_leaves_times_before_the_epoch(database: Database, repository: SampleRepository) -> None:
    repository.append(Sample(-5.0))
    assert Compactor(database).compact_next("samples", 0.0, START) is None


@ON_SQLITE
@pytest.mark.parametrize("cell", ["'text'", "x'00'"])
def test_hour_with_a_damaged_row_is_left_as_it_is(database: Database, cell: str) -> None:
    fill(database, 2)
    with database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE samples SET disk_busy = {cell} WHERE at = {START + 300}")
    hour = Compactor(database).compact_next("samples", 0.0, START + 9 * HOUR)
    assert hour is not None
    assert (hour.start, hour.rows, counts(database)) == (START, 0, (24, 0))
    following = Compactor(database).compact_next("samples", hour.start + HOUR, START + 9 * HOUR)
    assert following is not None
    assert (following.rows, counts(database)) == (12, (12, 1))


@ON_SQLITE
@pytest.mark.parametrize(("column", "cell"), [("model_id", "1.5"), ("warning", "'x'"), ("probability", "9e999")])
def test_hour_with_a_damaged_prediction_is_left_as_it_is(database: Database, column: str, cell: str) -> None:
    stored = Stored.of(database)
    stored.predictions.append([Prediction(START + at, 300.0, 1, 0.5, 0.1, 0.6) for at in range(5)])
    with database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE predictions SET {column} = {cell} WHERE at = {START + 1}")
    before = stored.predictions.between(0.0, START + HOUR)
    assert stored.compress() == 0
    assert stored.predictions.between(0.0, START + HOUR) == before


@pytest.mark.parametrize("statement", ["INSERT INTO sample_blocks", "INSERT INTO sample_aggregates", "DELETE"])
def test_failure_in_mid_transaction_changes_nothing(database: Database, statement: str) -> None:
    added = fill(database, 1)

    def fail(*arguments: Any) -> None:
        if str(arguments[2]).startswith(statement):
            raise RuntimeError(statement)

    event.listen(database.engine, "before_cursor_execute", fail)
    with pytest.raises(RuntimeError, match=statement):
        Compactor(database).compact_next("samples", 0.0, START + HOUR)
    event.remove(database.engine, "before_cursor_execute", fail)
    assert counts(database) == (12, 0)
    assert SampleRepository(database).last() == added[-1]


KILLED = """
import os, signal, sys
from sqlalchemy import event
from storage import Compactor, open_database

database = open_database(sys.argv[1])
statement, point = sys.argv[2], sys.argv[3]

def end(*arguments):
    if arguments[2].startswith(statement):
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(database.engine, point, end)
Compactor(database).compact_next("samples", 0.0, 2.0**40)
"""


@pytest.mark.parametrize("point", ["before_cursor_execute", "after_cursor_execute"])
@pytest.mark.parametrize("statement", ["INSERT INTO sample_blocks", "INSERT INTO sample_aggregates", "DELETE"])
def test_kill_loses_and_duplicates_no_row(url: str, tmp_path: Path, statement: str, point: str) -> None:
    with open_database(url) as database:
        added = fill(database, 1)
    command = [sys.executable, "-c", KILLED, url, statement, point]
    process = subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])})
    assert process.returncode == -signal.SIGKILL
    with open_database(url) as database:
        repository = SampleRepository(database)
        assert repository.between(0.0, START + HOUR, ("cpu_usage",))[:, 1].tolist() == [s.cpu_usage for s in added]
        hour = Compactor(database).compact_next("samples", 0.0, START + HOUR)
        assert hour is not None
        assert hour.rows == 12
        assert repository.between(0.0, START + HOUR, ("cpu_usage",))[:, 1].tolist() == [s.cpu_usage for s in added]


@ON_SQLITE
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE sample_blocks SET data = substr(data, 1, 40) WHERE start = {start}",
        "UPDATE sample_blocks SET data = 'text' WHERE start = {start}",
        "UPDATE sample_blocks SET checksum = checksum + 1 WHERE start = {start}",
        "UPDATE sample_blocks SET format = 99 WHERE start = {start}",
        "UPDATE sample_blocks SET row_count = 1e300 WHERE start = {start}",
        "UPDATE sample_blocks SET first_at = 'x', last_at = 'y' WHERE start = {start}",
    ],
)
def test_damaged_block_is_counted_and_left_out(database: Database, damage: str) -> None:
    fill(database, 4)
    stored = Stored.of(database)
    stored.compress(START + 3 * HOUR)
    with database.writing() as connection:
        connection.exec_driver_sql(damage.format(start=START + HOUR))
    times = stored.samples.between(0.0, START + 9 * HOUR, ())[:, 0]
    assert [(START + HOUR <= at < START + 2 * HOUR) for at in times.tolist()] == [False] * 36
    assert database.damaged_rows.counts() == {"sample_blocks": 1}
    reads: list[Callable[[], object]] = [
        stored.samples.last,
        stored.samples.oldest_at,
        stored.samples.count,
        lambda: stored.samples.last(START + 1.5 * HOUR),
        lambda: list(stored.samples.chunks(0.0)),
        lambda: stored.samples.bucket_means(START, 600.0, 24),
        lambda: stored.samples.thinned_times(START, START + 9 * HOUR, 900.0),
        lambda: stored.samples.count_between(START + 1.5 * HOUR, START + 3 * HOUR),
        lambda: stored.samples.start_of_newest(3 * HOUR, START + 9 * HOUR, 2 * HOUR, 30),
        lambda: stored.samples.append(Sample(START + HOUR + 1)),
        lambda: stored.samples.purge_between(START + HOUR + 1, START + HOUR + 2),
        lambda: stored.samples.purge(START + 3 * HOUR),
    ]
    for read in reads:
        read()
    assert stored.samples.between(0.0, START + 9 * HOUR, ())[:, 0].tolist() == times[-12:].tolist()


def test_rows_next_to_a_damaged_block_are_read_and_stay(database: Database) -> None:
    fill(database, 1)
    stored = Stored.of(database)
    stored.compress()
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE sample_blocks SET checksum = 0")
    stored.samples.append(Sample(START + 300.0, cpu_usage=0.5))
    assert stored.compress() == 0
    assert stored.samples.between(0.0, START + HOUR, ("cpu_usage",)).tolist() == [[START + 300.0, 0.5]]


def test_tables_are_those_of_all_series() -> None:
    assert COMPACTED_TABLES == ("samples", "predictions", "replayed_predictions")
    assert len({series.format for series in ALL_SERIES}) == len(ALL_SERIES)


def test_compressed_hour_is_small(url: str, tmp_path: Path) -> None:
    with open_database(url) as database:
        fill(database, 1, step=5.0)
        Stored.of(database).compress()
    with sqlite3.connect(tmp_path / "x.db") as connection:
        (size,) = connection.execute("SELECT length(data) FROM sample_blocks").fetchone()
    connection.close()
    assert size < 720 * 2
