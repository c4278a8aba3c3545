"""Shared SQL of the time-series tables: time buckets, deletion in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Float, Integer, Table, bindparam, delete, func, select

from storage.database import Database
from storage.database.portable import whole_part

CHUNK_SECONDS = 3600.0
"""Longest time aggregated by one query, in seconds: SQLite sorts the rows of a GROUP BY in memory."""

_CHUNK_START = bindparam("chunk_start", type_=Float)


def bucket_number(table: Table) -> ColumnElement[int]:
    """Return the SQL expression for the number of a row's time bucket, with the parameters of `bucket_chunks`."""
    offset = (table.c.at - _CHUNK_START) / bindparam("width", type_=Float)
    return bindparam("first_bucket", type_=Integer) + whole_part(offset)


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
