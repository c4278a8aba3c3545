"""Shared SQL of the time-series tables: time buckets, covered time, deletion in batches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Float, Integer, Table, bindparam, cast, delete, func, select

from storage.database import Database

CHUNK_SECONDS = 3600.0
"""Longest time aggregated by one query, in seconds: SQLite sorts the rows of a GROUP BY in memory."""

_CHUNK_START = bindparam("chunk_start", type_=Float)


def bucket_number(table: Table) -> ColumnElement[int]:
    """Return the SQL expression for the number of a row's time bucket, with the parameters of `bucket_chunks`."""
    offset = (table.c.at - _CHUNK_START) / bindparam("width", type_=Float)
    return bindparam("first_bucket", type_=Integer) + cast(offset, Integer)


def in_chunk(table: Table) -> tuple[ColumnElement[bool], ...]:
    """Return the SQL conditions for the rows of one query, with the parameters of `bucket_chunks`."""
    end = bindparam("chunk_end", type_=Float)
    return table.c.host_id == bindparam("host_id"), table.c.at >= _CHUNK_START, table.c.at < end


def bucket_chunks(host_id: int, start: float, width: float, count: int) -> Iterator[dict[str, float]]:
    """Yield the parameters of the queries that group the rows of one host by time bucket.

    Each query covers at most CHUNK_SECONDS, or one bucket if a bucket is wider. The query itself is built only once:
    expressions of SQLAlchemy have reference cycles, and would occupy memory until the next garbage collection.

    Args:
        host_id: ID of the host.
        start: start of the first bucket, in seconds since the epoch.
        width: width of a bucket in seconds.
        count: number of buckets.
    """
    buckets_per_chunk = max(1, int(CHUNK_SECONDS // width))
    for first in range(0, count, buckets_per_chunk):
        last = min(first + buckets_per_chunk, count)
        yield {
            "host_id": host_id,
            "first_bucket": first,
            "width": width,
            "chunk_start": start + first * width,
            "chunk_end": start + last * width,
        }


def start_of_newest(
    database: Database,
    table: Table,
    host_id: int,
    seconds: float,
    until: float,
    max_gap: float,
    min_rows: int = 0,
) -> float:
    """Return the start of the newest period in which the rows of one host cover `seconds` seconds.

    A gap longer than `max_gap` does not count. Otherwise all history would look old after a forward clock step, and
    would be deleted.

    Args:
        database: open database.
        table: table with the columns `host_id` and `at`.
        host_id: ID of the host.
        seconds: number of seconds to cover.
        until: end of the period, in seconds since the epoch; later rows are ignored.
        max_gap: longest distance between two rows that counts as covered, in seconds.
        min_rows: smallest number of rows in the period.

    Returns:
        Seconds since the epoch; minus infinity if all rows together cover less than `seconds`, or are fewer than
        `min_rows`.
    """
    own = table.c.host_id == host_id
    start = until
    with database.reading() as connection:
        newest = select(table.c.at).where(own, table.c.at <= until).order_by(table.c.at.desc())
        latest = math.inf if min_rows < 1 else connection.scalar(newest.limit(1).offset(min_rows - 1))
        if latest is None:
            return -math.inf
        while True:
            # The oldest row within max_gap: two queries per step, whatever the number of rows.
            within_reach = select(func.min(table.c.at)).where(own, table.c.at >= start - max_gap, table.c.at < start)
            earlier = connection.scalar(within_reach)
            covered = 0.0 if earlier is None else start - earlier
            if earlier is None:
                earlier = connection.scalar(select(func.max(table.c.at)).where(own, table.c.at < start))
            if earlier is None:
                return -math.inf
            if covered >= seconds:
                return min(start - seconds, latest)
            seconds -= covered
            start = earlier


def purge(database: Database, table: Table, host_id: int, before: float, batch: int) -> int:
    """Delete the old rows of one host in short transactions, so that a writer never waits for long.

    Args:
        database: open database.
        table: table with the columns `host_id` and `at`.
        host_id: ID of the host.
        before: rows before this time (seconds since the epoch) are deleted.
        batch: largest number of rows selected in one transaction; rows with the time of the last one are included.

    Returns:
        The number of rows deleted.
    """
    return _purge_batches(database, table, (table.c.host_id == host_id, table.c.at < before), batch)


def _purge_batches(database: Database, table: Table, selected: Sequence[ColumnElement[bool]], batch: int) -> int:
    """Delete the selected rows in one transaction per batch, oldest first.

    Args:
        database: open database.
        table: table with a column `at`, the time of a row.
        selected: conditions; a row that fulfils all of them is deleted.
        batch: largest number of rows selected in one transaction.

    Returns:
        The number of rows deleted.
    """
    total = 0
    while deleted := _purge_batch(database, table, selected, batch):
        total += deleted
    return total


def _purge_batch(database: Database, table: Table, selected: Sequence[ColumnElement[bool]], batch: int) -> int:
    """Delete the oldest selected rows in one transaction, and return their number; 0 if no row is selected."""
    oldest = select(table.c.at).where(*selected).order_by(table.c.at).limit(batch).subquery()
    with database.writing() as connection:
        last = connection.scalar(select(func.max(oldest.c.at)))
        if last is None:
            return 0
        return connection.execute(delete(table).where(*selected, table.c.at <= last)).rowcount


def count_between(database: Database, table: Table, host_id: int, start: float, end: float) -> int:
    """Return the number of rows of one host with start <= at <= end.

    Args:
        database: open database.
        table: table with the columns `host_id` and `at`.
        host_id: ID of the host.
        start: seconds since the epoch.
        end: seconds since the epoch.
    """
    query = select(func.count()).where(table.c.host_id == host_id, table.c.at >= start, table.c.at <= end)
    with database.reading() as connection:
        return connection.scalar(query) or 0


def purge_between(database: Database, table: Table, host_id: int, start: float, end: float, batch: int = 5000) -> int:
    """Delete the rows of one host with start <= at <= end in short transactions.

    Args:
        database: open database.
        table: table with the columns `host_id` and `at`.
        host_id: ID of the host.
        start: seconds since the epoch.
        end: seconds since the epoch.
        batch: largest number of rows selected in one transaction; rows with the time of the last one are included.

    Returns:
        The number of rows deleted.
    """
    selected = (table.c.host_id == host_id, table.c.at >= start, table.c.at <= end)
    return _purge_batches(database, table, selected, batch)
