"""Rows of a history: an array, or a table that is decoded part by part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from model.array_types import Floats

CHUNK_ROWS = 50_000
"""Number of rows processed at once; it bounds the memory of intermediate arrays."""


class DecodedRows(Protocol):
    """Rows of a long history, which are decoded on request: an array of all values would need much memory."""

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    def __getitem__(self, rows: slice) -> Floats:
        """Return consecutive rows (rows, columns), NaN where missing."""
        ...

    def column(self, position: int) -> Floats:
        """Return one column (rows,)."""
        ...


Rows = Floats | DecodedRows
"""(rows, columns), NaN where missing."""


class RowRange:
    """Consecutive rows of decoded rows."""

    def __init__(self, rows: DecodedRows, start: int, stop: int) -> None:
        self._rows = rows
        self._start = start
        self._length = stop - start

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, rows: slice) -> Floats:
        start, stop, _ = rows.indices(self._length)
        return self._rows[self._start + start : self._start + stop]

    def column(self, position: int) -> Floats:
        """Return one column (rows,)."""
        return self._rows.column(position)[self._start : self._start + self._length]


def rows_between(values: Rows, start: int, stop: int) -> Rows:
    """Return the rows with start <= position < stop, without a copy."""
    return values[start:stop] if isinstance(values, np.ndarray) else RowRange(values, start, stop)


def column_of(values: Rows, position: int) -> Floats:
    """Return one column (rows,) of the rows of a history."""
    return values[:, position] if isinstance(values, np.ndarray) else values.column(position)


def row_chunks(values: Rows) -> Iterator[tuple[slice, Floats]]:
    """Yield consecutive parts of at most CHUNK_ROWS rows: their positions and their values (rows, columns)."""
    for start in range(0, len(values), CHUNK_ROWS):
        part = slice(start, min(start + CHUNK_ROWS, len(values)))
        yield part, values[part]
