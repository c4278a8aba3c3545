"""Stored series: counts, bounds and deletion of rows, in blocks or not."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, func, select

from storage import queries
from storage.blocks.expansion import delete_block, expand_hours
from storage.blocks.reading import BlockReader, RecentBlocks
from storage.blocks.series import Series, just_before
from storage.database import Database

BLOCKS_PER_BATCH = 50
"""Number of blocks deleted in one transaction: a few milliseconds."""


class StoredSeries:
    """Time series of one host in the database: its table of rows and its table of blocks.

    Every method raises StorageError if the database refuses the operation.

    Attributes:
        series: tables and columns.
    """

    def __init__(self, database: Database, series: Series, host_id: int) -> None:
        self._database = database
        self.series = series
        self._host_id = host_id
        self._at = series.rows.c.at
        self._own = series.rows.c.host_id == host_id

    def blocks(self, connection: Connection, recent: RecentBlocks | None = None) -> BlockReader:
        """Return the reader of the blocks in a transaction; see `BlockReader`."""
        return BlockReader(connection, self._database.damaged_rows, self.series, self._host_id, recent)

    def expand(self, connection: Connection, times: Sequence[float]) -> None:
        """Replace the blocks of the hours of some times by rows, before a statement writes rows at these times."""
        expand_hours(connection, self.series, self._host_id, times)

    def count(self, start: float = -math.inf, end: float = math.inf) -> int:
        """Return the number of rows with start <= at <= end, in seconds since the epoch."""
        query = select(func.count()).select_from(self.series.rows).where(self._own)
        if math.isfinite(start) or math.isfinite(end):
            query = query.where(self._at >= start, self._at <= end)
        with self._database.reading() as connection:
            rows: int = connection.scalar(query) or 0
            return rows + self.blocks(connection).count(start, end)

    def purge(self, before: float, batch: int) -> int:
        """Delete the rows before a time in short transactions.

        Args:
            before: rows before this time (seconds since the epoch) are deleted.
            batch: largest number of rows selected in one transaction.

        Returns:
            The number of rows deleted.
        """
        deleted = self._purge_blocks(-math.inf, just_before(before))
        return deleted + queries.purge(self._database, self.series.rows, self._host_id, before, batch)

    def purge_between(self, start: float, end: float) -> int:
        """Delete the rows with start <= at <= end (seconds since the epoch) and return their number."""
        deleted = self._purge_blocks(start, end)
        return deleted + queries.purge_between(self._database, self.series.rows, self._host_id, start, end)

    def _purge_blocks(self, start: float, end: float) -> int:
        """Delete the blocks within a period, expand those that exceed it, and return the number of rows deleted."""
        blocks = self.series.blocks.c
        whole = (
            select(blocks.start, blocks.row_count)
            .where(blocks.host_id == self._host_id, blocks.first_at >= start, blocks.last_at <= end)
            .order_by(blocks.start)
            .limit(BLOCKS_PER_BATCH)
        )
        # Of the first and of the last hour of the period.
        exceeding = select(blocks.start).where(
            blocks.host_id == self._host_id, blocks.first_at <= end, blocks.last_at >= start
        )
        total = 0
        while True:
            with self._database.writing() as connection:
                selected = connection.execute(whole).all()
                if not selected:
                    self.expand(connection, list(connection.scalars(exceeding)))
                    return total
                for hour, _ in selected:
                    delete_block(connection, self.series, self._host_id, hour)
            total += sum(rows for _, rows in selected if isinstance(rows, int))

    def first_between(self, connection: Connection, start: float, end: float) -> float | None:
        """Return the smallest time with start <= at <= end, in seconds since the epoch; None if there is none."""
        query = select(func.min(self._at)).where(self._own, self._at >= start, self._at <= end)
        first: float | None = connection.scalar(query)
        for block in self.blocks(connection).blocks(start, end if first is None else first, ("at",)):
            times = block.values[:, 0]
            inside = times[(times >= start) & (times <= end)]
            if len(inside):
                return float(inside[0]) if first is None else min(first, float(inside[0]))
        return first

    def last_between(self, connection: Connection, start: float, end: float) -> float | None:
        """Return the largest time with start <= at <= end, in seconds since the epoch; None if there is none."""
        query = select(func.max(self._at)).where(self._own, self._at >= start, self._at <= end)
        last: float | None = connection.scalar(query)
        reader = self.blocks(connection)
        for block in reader.blocks(start if last is None else last, end, ("at",), descending=True):
            times = block.values[:, 0]
            inside = times[(times >= start) & (times <= end)]
            if len(inside):
                return float(inside[-1]) if last is None else max(last, float(inside[-1]))
        return last

    def nth_newest(self, connection: Connection, until: float, number: int) -> float | None:
        """Return the time of the row that `number` - 1 rows up to `until` follow; None if there are fewer rows.

        Args:
            connection: connection in a transaction.
            until: seconds since the epoch.
            number: at least 1.
        """
        query = select(self._at).where(self._own, self._at <= until).order_by(self._at.desc()).limit(number)
        newest = np.array([row[0] for row in connection.execute(query)], dtype=np.float64)
        oldest = newest[-1] if len(newest) == number else -math.inf
        for block in self.blocks(connection).blocks(oldest, until, ("at",), descending=True):
            newest = np.append(newest, block.values[block.values[:, 0] <= until, 0])
            newest = np.sort(newest)[::-1][:number]
            if len(newest) == number and newest[-1] >= block.start:
                break
        return float(newest[number - 1]) if len(newest) == number else None

    def start_of_newest(self, seconds: float, until: float, max_gap: float, min_rows: int) -> float:
        """Return the start of the newest period in which the rows cover `seconds` seconds.

        A gap longer than `max_gap` does not count. Otherwise all history would look old after a forward clock step,
        and would be deleted.

        Args:
            seconds: number of seconds to cover.
            until: end of the period, in seconds since the epoch; later rows are ignored.
            max_gap: longest distance between two rows that counts as covered, in seconds.
            min_rows: smallest number of rows in the period.

        Returns:
            Seconds since the epoch; minus infinity if all rows together cover less than `seconds`, or are fewer than
            `min_rows`.
        """
        start = until
        with self._database.reading() as connection:
            latest = math.inf if min_rows < 1 else self.nth_newest(connection, until, min_rows)
            if latest is None:
                return -math.inf
            while True:
                # The oldest row within max_gap: a few queries per step, whatever the number of rows.
                earlier = self.first_between(connection, start - max_gap, just_before(start))
                covered = 0.0 if earlier is None else start - earlier
                if earlier is None:
                    earlier = self.last_between(connection, -math.inf, just_before(start))
                if earlier is None:
                    return -math.inf
                if covered >= seconds:
                    return min(start - seconds, latest)
                seconds -= covered
                start = earlier
