"""A few rows to the disk and one figure back, with statements that are built once; and old rows off the disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Table, cast, delete, func, insert, select

from storage.database import Database

QUARTER_DAY = 21_600.0


class ScalarQuery:
    """Reads one figure of one host. Safe to use from several threads."""

    def __init__(self, database: Database, query: Select[Any]) -> None:
        """A reader of a query for one column, whose only parameter is the host's id."""
        self._database = database
        compiled = query.compile(dialect=database.engine.dialect)
        self._statement, self._positional = str(compiled), compiled.positiontup is not None

    def __call__(self, host_id: int) -> Any:
        """The figure, or None where there is no row.

        Raises:
            StorageError: whatever the database refuses, in one line.
        """
        values = (host_id,) if self._positional else {"host_id": host_id}
        row = self._database.driver.run(self._statement, values)
        return None if row is None else row[0]


class RowInserter:
    """Commits a few rows of one table at a time. Safe to use from several threads."""

    def __init__(self, database: Database, table: Table) -> None:
        self._database, self._table = database, table
        self._statements: dict[int, tuple[str, bool]] = {}

    def __call__(self, *rows: Mapping[str, float | None]) -> None:
        """Commits rows together.

        Args:
            rows: each with a value for every column.

        Raises:
            DuplicateKeyError: a row with the key of one is there already; none is stored.
            StorageError: whatever else the database refuses, in one line.
        """
        self._database.driver.run(*self._prepared(rows))

    def _prepared(self, rows: Sequence[Mapping[str, float | None]]) -> tuple[str, Any]:
        """One statement for all rows, with its values as the driver wants them."""
        if len(rows) not in self._statements:
            names = [column.name for column in self._table.columns]
            query = insert(self._table).values([dict.fromkeys(names) for _ in rows])
            compiled = query.compile(dialect=self._database.engine.dialect)
            self._statements[len(rows)] = str(compiled), compiled.positiontup is not None
        statement, positional = self._statements[len(rows)]
        if positional:
            return statement, [row[column.name] for row in rows for column in self._table.columns]
        return statement, {f"{name}_m{i}": value for i, row in enumerate(rows) for name, value in row.items()}


def slots(
    table: Table, host_id: int, start: float, width: float, count: int
) -> Iterator[tuple[ColumnElement[int], tuple[ColumnElement[bool], ...]]]:
    """Stretches of time of one host, a quarter of a day at once: more could not be sorted in little memory.

    Args:
        table: with the columns host_id and at.
        host_id: whose rows.
        start: seconds since the epoch at which the first stretch begins.
        width: seconds of each.
        count: how many.

    Yields:
        The number of the stretch that a row falls into, and what holds for the rows of those that are read at once.
    """
    together = max(1, int(QUARTER_DAY // width))
    for first in range(0, count, together):
        begin, end = start + first * width, start + min(first + together, count) * width
        slot = first + cast((table.c.at - begin) / width, Integer)
        yield slot, (table.c.host_id == host_id, table.c.at >= begin, table.c.at < end)


def purge(database: Database, table: Table, host_id: int, before: float, batch: int) -> int:
    """Deletes one host's rows of moments before `before`, a bounded batch a transaction.

    Args:
        database: where they are.
        table: with the columns host_id and at.
        host_id: whose rows.
        before: seconds since the epoch.
        batch: rows looked at in one transaction; those of its last moment are deleted together.

    Returns:
        The number of rows deleted.
    """
    deleted = 0
    while removed := _purge_batch(database, table, host_id, before, batch):
        deleted += removed
    return deleted


def _purge_batch(database: Database, table: Table, host_id: int, before: float, batch: int) -> int:
    old = (table.c.host_id == host_id, table.c.at < before)
    with database.writing() as connection:
        oldest = select(table.c.at).where(*old).order_by(table.c.at).limit(batch).subquery()
        up_to = connection.scalar(select(func.max(oldest.c.at)))
        if up_to is None:
            return 0
        return connection.execute(delete(table).where(*old, table.c.at <= up_to)).rowcount
