"""Expansion: blocks replaced by their rows, before a statement changes rows of their hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Float, Insert, Table, bindparam, delete, insert, select

from storage.blocks.format import Block
from storage.blocks.reading import BlockReader
from storage.blocks.series import ALL_SERIES, HOUR, Series, hour_of
from storage.errors import DuplicateKeyError
from storage.rows import DamagedRows


def expand_hours(connection: Connection, series: Series, host_id: int, times: Iterable[float]) -> None:
    """Replace the blocks of some hours by their rows; a damaged block stays, and its hour may get new rows.

    Every statement that changes or deletes single rows is preceded by this call, and every INSERT other than that of
    `insert_new_rows`. It costs one query if the hours have no block.

    Args:
        connection: connection in a writing transaction.
        series: time series.
        host_id: ID of the host.
        times: times of the rows to write, in seconds since the epoch.
    """
    hours = {hour_of(at) for at in times}
    if not hours:
        return
    reader = BlockReader(connection, DamagedRows(), series, host_id)
    if not reader.any(min(hours), max(hours)):
        return
    for hour in sorted(hours):
        # Those of a damaged block, which stays, do not contain the rows to write.
        _delete(connection, series.aggregates, host_id, hour)
        for block in list(reader.blocks(hour, hour, series.columns)):
            _expand(connection, series, host_id, block)


def insert_new_rows(connection: Connection, series: Series, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows into hours without a block; at the cost of an INSERT.

    Args:
        connection: connection in a writing transaction.
        series: time series.
        rows: values of each row by column, for all columns of the table.

    Raises:
        DuplicateKeyError: an hour has a block; the caller rolls back, and expands the hours in a new transaction.
        IntegrityError: a row with the same key exists.
    """
    if connection.execute(_insert_into_open_hour(series), rows).rowcount < len(rows):
        raise DuplicateKeyError(f"{series.rows.name}: the rows of this hour are compressed")


@cache
def _insert_into_open_hour(series: Series) -> Insert:
    """Build the INSERT of a row that inserts nothing if the hour of the row has a block."""
    blocks, at = series.blocks.c, bindparam("at", type_=Float)
    block = select(blocks.start).where(
        blocks.host_id == bindparam("host_id"), blocks.start > at - HOUR, blocks.start <= at
    )
    columns = series.rows.columns
    row = select(*(bindparam(column.name, type_=column.type) for column in columns)).where(~block.exists())
    statement = insert(series.rows).from_select([column.name for column in columns], row)
    return statement.execution_options(preserve_rowcount=True)


def expand_all(connection: Connection) -> None:
    """Replace all blocks by their rows, in one transaction; for a schema without aggregates."""
    for series in ALL_SERIES:
        keys = select(series.blocks.c.host_id, series.blocks.c.start)
        for host_id, start in connection.execute(keys).all():
            reader = BlockReader(connection, DamagedRows(), series, host_id)
            for block in list(reader.blocks(start, start, series.columns)):
                _expand(connection, series, host_id, block)


def _expand(connection: Connection, series: Series, host_id: int, block: Block) -> None:
    _delete(connection, series.blocks, host_id, block.start)
    if len(block.values):
        connection.execute(insert(series.rows), _rows(series, host_id, block))


def delete_block(connection: Connection, series: Series, host_id: int, start: float) -> None:
    """Delete the block of the hour that begins at `start`, and its aggregates."""
    for table in (series.blocks, series.aggregates):
        _delete(connection, table, host_id, start)


def _delete(connection: Connection, table: Table, host_id: int, start: float) -> None:
    query = delete(table).where(table.c.host_id == bindparam("host"), table.c.start == bindparam("hour"))
    connection.execute(query, {"host": host_id, "hour": start})


def _rows(series: Series, host_id: int, block: Block) -> list[dict[str, Any]]:
    """Return the rows of a block, as they were inserted first."""
    columns = []
    for name, column in zip(series.columns, block.values.T, strict=True):
        values = column.tolist()
        if name in series.whole:
            values = [int(value) for value in values]
        elif series.rows.c[name].nullable:
            # A missing value is NaN, which differs from itself.
            values = [value if value == value else None for value in values]  # noqa: PLR0124
        columns.append(values)
    return [{"host_id": host_id, **dict(zip(series.columns, row, strict=True))} for row in zip(*columns, strict=True)]
