"""SQL shared by the time series: grouping by time bucket, and deletion of old rows."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Integer, Table, cast, delete, func, select

from storage.database import Database

CHUNK_SECONDS = 21_600.0
"""Longest time grouped by one query, in seconds: SQLite sorts the rows of a group in memory."""


def time_buckets(
    table: Table, host_id: int, start: float, width: float, count: int
) -> Iterator[tuple[ColumnElement[int], tuple[ColumnElement[bool], ...]]]:
    """Yield the parts of a query that groups the rows of one host by time bucket, one chunk of time each.

    Args:
        table: table with the columns host_id and at.
        host_id: id of the host.
        start: start of the first bucket, in seconds since the epoch.
        width: width of a bucket in seconds.
        count: number of buckets.

    Yields:
        The expression for the number of a row's bucket, and the conditions that select the chunk's rows.
    """
    buckets_per_chunk = max(1, int(CHUNK_SECONDS // width))
    for first in range(0, count, buckets_per_chunk):
        last = min(first + buckets_per_chunk, count)
        chunk_start = start + first * width
        chunk_end = start + last * width
        bucket = first + cast((table.c.at - chunk_start) / width, Integer)
        yield bucket, (table.c.host_id == host_id, table.c.at >= chunk_start, table.c.at < chunk_end)


def purge(database: Database, table: Table, host_id: int, before: float, batch: int) -> int:
    """Delete the old rows of one host in short transactions, so that a writer never waits for long.

    Args:
        database: the database.
        table: table with the columns host_id and at.
        host_id: id of the host.
        before: rows before this time (seconds since the epoch) are deleted.
        batch: rows selected in one transaction; all rows of the last selected time are deleted with them.

    Returns:
        The number of rows deleted.
    """
    total = 0
    while deleted := _purge_batch(database, table, host_id, before, batch):
        total += deleted
    return total


def _purge_batch(database: Database, table: Table, host_id: int, before: float, batch: int) -> int:
    """Delete one batch and return the number of rows deleted; 0 if there are no old rows."""
    old = (table.c.host_id == host_id, table.c.at < before)
    oldest = select(table.c.at).where(*old).order_by(table.c.at).limit(batch).subquery()
    with database.writing() as connection:
        last = connection.scalar(select(func.max(oldest.c.at)))
        if last is None:
            return 0
        return connection.execute(delete(table).where(*old, table.c.at <= last)).rowcount
