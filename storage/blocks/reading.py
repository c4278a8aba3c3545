"""Reading of blocks: the blocks of a period and the gaps between them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select

from storage.blocks.format import Block, decode_block
from storage.blocks.series import HOUR, Array, Series, hour_of, just_before
from storage.rows import DamagedRows, RowDecoder, cell_reader, tuple_decoder

_COLUMNS = ("start", "host_id", "first_at", "last_at", "row_count", "format", "checksum", "data")
"""Columns of a block table; `start` is the first one, as it identifies a damaged block."""

_READERS = tuple(map(cell_reader, (float, int, float, float, int, int, int, bytes)))

_SPANS = tuple_decoder("blocks", float, float, float, int)


@dataclass(frozen=True)
class Gap:
    """Period without blocks, whose rows are in the table of rows: start <= at <= end, in seconds since the epoch."""

    start: float
    end: float


class RecentBlocks:
    """The last two decoded blocks of a series: consecutive reads often share an hour."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[float, int], Block] = {}

    def block(self, series: Series, names: Sequence[str], row: dict[str, Any]) -> Block:
        """Return columns of a block, the same in each call; see `decode_block`."""
        key = row["start"], row["checksum"]
        block = self._blocks.get(key)
        if block is None:
            block = decode_block(series, names, row)
            if len(self._blocks) > 1:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[key] = block
        return block


class BlockReader:
    """Reader of the blocks of one host in one transaction.

    A damaged block is counted and left out.
    """

    def __init__(
        self,
        connection: Connection,
        damaged: DamagedRows,
        series: Series,
        host_id: int,
        recent: RecentBlocks | None = None,
    ) -> None:
        """Initialize the reader.

        Args:
            connection: connection in a transaction.
            damaged: counter of damaged rows.
            series: time series.
            host_id: ID of the host.
            recent: blocks of the previous readers for the same columns, which are not decoded again.
        """
        self._recent = RecentBlocks() if recent is None else recent
        self._connection = connection
        self._damaged = damaged
        self._series = series
        self._host_id = host_id

    def parts(self, start: float, end: float, names: Sequence[str]) -> Iterator[Array | Gap]:
        """Yield the values of each block, and each gap between them, in order of time.

        Args:
            start: seconds since the epoch, inclusive.
            end: seconds since the epoch, inclusive.
            names: names of the columns; `at` is the first one.
        """
        position = start
        for block in self.blocks(start, end, names):
            if position < block.start:
                yield Gap(position, just_before(block.start))
            inside = slice(
                np.searchsorted(block.values[:, 0], start), np.searchsorted(block.values[:, 0], end, "right")
            )
            yield block.values[inside]
            position = block.start + HOUR
        if position <= end:
            yield Gap(position, end)

    def blocks(self, start: float, end: float, names: Sequence[str], *, descending: bool = False) -> Iterator[Block]:
        """Yield the blocks of the hours that overlap a period, oldest or newest first; see `parts`."""
        series = self._series

        def build(*values: Any) -> Block:
            return self._recent.block(series, names, dict(zip(_COLUMNS, values, strict=True)))

        decoder = RowDecoder(series.blocks.name, build, _READERS)
        query = _select_blocks(series, descending=descending)
        yield from decoder.each(self._damaged, self._connection, query, **self._bounds(start, end))

    def encoded(self, start: float, end: float) -> Iterator[tuple[dict[str, Any], Array]]:
        """Yield the table row and the times (rows,) of each block whose hour overlaps a period; see `blocks`."""

        def build(*values: Any) -> tuple[dict[str, Any], Array]:
            row = dict(zip(_COLUMNS, values, strict=True))
            return row, decode_block(self._series, ("at",), row).values[:, 0]

        decoder = RowDecoder(self._series.blocks.name, build, _READERS)
        query = _select_blocks(self._series, descending=False)
        yield from decoder.each(self._damaged, self._connection, query, **self._bounds(start, end))

    def spans(self, start: float, end: float) -> list[tuple[float, float, float, int]]:
        """Return hour, first and last time and number of rows of each block whose hour overlaps a period.

        The data are not read: a damaged block is included.
        """
        bounds = self._bounds(start, end)
        return _SPANS.read(self._damaged, self._connection, _select_spans(self._series), **bounds)

    def any(self, start: float, end: float) -> bool:
        """Return True if the hour of any block, damaged ones included, overlaps a period; see `parts`."""
        return self._connection.execute(_select_start(self._series), self._bounds(start, end)).first() is not None

    def count(self, start: float, end: float) -> int:
        """Return the number of rows in blocks in a period; see `parts`.

        The rows of a damaged block count only if all of the block is in the period.
        """
        total = self._connection.scalar(_select_rows(self._series), self._bounds(start, end))
        rows = total if isinstance(total, int) else 0
        for hour in {hour_of(bound) for bound in (start, end) if math.isfinite(bound)}:
            for block in self.blocks(hour, hour, ("at",)):
                times = block.values[:, 0]
                inside = int(np.sum((times >= start) & (times <= end)))
                rows += inside if inside < len(times) else 0
        return rows

    def first_at(self) -> float | None:
        """Return the time of the oldest row in a block, in seconds since the epoch; None if there is no block."""
        blocks = self._series.blocks.c
        query = select(func.min(blocks.first_at)).where(blocks.host_id == self._host_id)
        first: object = self._connection.scalar(query)
        return first if isinstance(first, float) else None

    def _bounds(self, start: float, end: float) -> dict[str, float]:
        return {"host_id": self._host_id, "after": start - HOUR, "start": start, "end": end}


# Each query is built once: expressions of SQLAlchemy have reference cycles, and cost more than these queries.


@cache
def _select_blocks(series: Series, *, descending: bool) -> Select[Any]:
    key = series.blocks.c.start
    query = select(*series.blocks.c[_COLUMNS]).where(*_overlapping(series))
    return query.order_by(key.desc() if descending else key)


@cache
def _select_spans(series: Series) -> Select[Any]:
    blocks = series.blocks.c
    columns = blocks["start", "first_at", "last_at", "row_count"]
    return select(*columns).where(*_overlapping(series)).order_by(blocks.start)


@cache
def _select_start(series: Series) -> Select[Any]:
    return select(series.blocks.c.start).where(*_overlapping(series)).limit(1)


@cache
def _select_rows(series: Series) -> Select[Any]:
    blocks = series.blocks.c
    whole = (blocks.first_at >= bindparam("start"), blocks.last_at <= bindparam("end"))
    return select(func.sum(blocks.row_count)).where(*_overlapping(series), *whole)


def _overlapping(series: Series) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the blocks whose hours overlap a period."""
    blocks = series.blocks.c
    return blocks.host_id == bindparam("host_id"), blocks.start > bindparam("after"), blocks.start <= bindparam("end")
