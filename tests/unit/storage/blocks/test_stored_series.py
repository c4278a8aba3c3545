"""Stored series: deletion of blocks and of parts of blocks."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from storage import Database, Sample
from storage.blocks.series import SAMPLES
from storage.blocks.stored_series import BLOCKS_PER_BATCH, StoredSeries
from storage.blocks.tables import sample_blocks
from storage.schema import samples

from .conftest import START, Stored

pytestmark = pytest.mark.unit


def fill(database: Database, hours: int) -> Stored:
    stored = Stored.of(database)
    stored.samples.append_many(Sample(START + 1200.0 * number) for number in range(3 * hours))
    stored.compress()
    return stored


def numbers(database: Database) -> tuple[int, int]:
    """Return the numbers of rows and of blocks."""
    with database.reading() as connection:
        rows, blocks = (connection.scalar(select(func.count()).select_from(t)) for t in (samples, sample_blocks))
    return int(rows or 0), int(blocks or 0)


def test_purge_deletes_whole_blocks_in_bounded_transactions(database: Database) -> None:
    stored = fill(database, BLOCKS_PER_BATCH + 5)
    statements: list[str] = []

    def record(connection: Any, cursor: Any, statement: str, *arguments: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    commits: list[int] = []
    event.listen(database.engine, "before_cursor_execute", record)
    event.listen(database.engine, "commit", lambda _: commits.append(len(statements)))
    assert stored.samples.purge(START + 3600.0 * (BLOCKS_PER_BATCH + 2)) == 3 * (BLOCKS_PER_BATCH + 2)
    event.remove(database.engine, "before_cursor_execute", record)
    assert numbers(database) == (0, 3)
    assert (
        max(after - before for before, after in zip([0, *commits], commits, strict=False)) <= 2 * BLOCKS_PER_BATCH + 1
    )
    assert not any(statement.startswith("INSERT") for statement in statements)


def test_purge_expands_a_block_only_if_rows_of_it_are_deleted(database: Database) -> None:
    stored = fill(database, 3)
    assert stored.samples.purge(START + 3600.0) == 3
    assert numbers(database) == (0, 2)
    assert stored.samples.purge(START + 3600.0 + 1200.0) == 1
    assert numbers(database) == (2, 1)


def test_purge_between_removes_exactly_the_rows_of_the_period(database: Database) -> None:
    stored = fill(database, 4)
    assert stored.samples.purge_between(START + 2400.0, START + 7200.0) == 5
    assert stored.samples.between(0.0, 1e12, ())[:, 0].tolist() == [
        START + 1200.0 * number for number in (0, 1, 7, 8, 9, 10, 11)
    ]


def test_nth_newest_counts_rows_and_blocks(database: Database) -> None:
    stored = fill(database, 2)
    stored.samples.append(Sample(START + 7200.0))
    series = StoredSeries(database, SAMPLES, 1)
    with database.reading() as connection:
        newest = [series.nth_newest(connection, START + 9e9, number) for number in (1, 2, 4, 7, 8)]
    assert newest == [START + 7200.0, START + 6000.0, START + 3600.0, START, None]


def test_count_of_a_part_of_a_block(database: Database) -> None:
    stored = fill(database, 2)
    assert stored.samples.count_between(START + 1.0, START + 3600.0) == 3
    assert stored.samples.count(START + 3600.0) == 2


def test_spread_times_are_those_of_rows_and_of_the_bounds_of_blocks(database: Database) -> None:
    stored = fill(database, 6)
    plain = stored.samples.spread_times(0.0, 1e12, 60.0)
    assert plain.tolist() == stored.samples.thinned_times(0.0, 1e12, 60.0).tolist()
    stored.samples.purge_between(START + 2 * 3600.0, START + 3 * 3600.0 - 1)
    before = stored.samples.between(0.0, 1e12, ())[:, 0]
    stored.compress(START + 5 * 3600.0)
    with database.writing() as connection:
        connection.execute(update(sample_blocks).values(data=b"\0"))
    # The rows of an hour are 1200 s apart.
    assert stored.samples.spread_times(0.0, 1e12, 600.0).tolist() == pytest.approx(before.tolist())
    inner = stored.samples.spread_times(START + 1200.0, START + 4 * 3600.0, 600.0)
    assert inner.tolist() == pytest.approx(before[(before > START + 1200) & (before <= START + 14_400)].tolist())
    assert database.damaged_rows.counts() == {}


def test_spread_times_of_damaged_bounds_stay_in_their_hour(database: Database) -> None:
    stored = fill(database, 2)
    stored.compress(START + 3600.0)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE sample_blocks SET first_at = -1e300, last_at = 1e300, row_count = 1000")
    times = stored.samples.spread_times(0.0, 1e12, 60.0)
    assert (len(times[times < START + 3600]), times[0]) == (61, START)
