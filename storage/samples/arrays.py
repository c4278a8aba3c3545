"""Arrays of samples: query results as NumPy arrays, without a Python object per row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Float, Select, bindparam, func, select

from storage.database.portable import least_of
from storage.rows import DamagedRows, raw_rows
from storage.schema import samples

Array = NDArray[np.float64]

CHUNK_ROWS = 8192
"""Number of rows processed at once: a mask of the whole history would take an eighth of its memory."""


GROWTH = 1.125
"""Factor by which an `ArrayBuffer` grows."""


class ArrayBuffer:
    """Array that grows in place, so that its parts are not held twice.

    Attributes:
        rows: number of rows so far.
    """

    def __init__(self, width: int) -> None:
        self._array = np.empty((0, width))
        self.rows = 0

    def append(self, part: Array) -> None:
        """Append rows (rows, width)."""
        end = self.rows + len(part)
        if end > len(self._array):
            self._array.resize((int(end * GROWTH), part.shape[1]), refcheck=False)
        self._array[self.rows : end] = part
        self.rows = end

    def take(self) -> Array:
        """Return the array (rows, width); the buffer must not be used again."""
        self._array.resize((self.rows, self._array.shape[1]), refcheck=False)
        return self._array


def select_samples(fields: Sequence[str]) -> Select[Any]:
    """Build the query for `at` and the fields of all samples, ordered by time; infinity replaces NULL."""
    present = (func.coalesce(samples.c[name], bindparam("missing", math.inf, Float)) for name in fields)
    return select(samples.c.at, *present).order_by(samples.c.at)


def select_thinned_times(host_id: int, start: float, end: float, spacing: float) -> Select[Any]:
    """Build the query for sample times that are thinned to about one per `spacing` seconds.

    Each selected time is followed by the last sample time at most `spacing` seconds later, or by the next sample time
    if there is a gap. A selected time costs two index lookups: not all rows of a dense history are read.

    Args:
        host_id: ID of the host.
        start: seconds since the epoch, exclusive.
        end: seconds since the epoch, inclusive.
        spacing: largest distance between two selected times in seconds, except across gaps.
    """
    at = samples.c.at
    own = samples.c.host_id == host_id
    times = select(func.min(at).label("at")).where(own, at > start, at <= end).cte("times", recursive=True)
    # One lower and one upper bound in each query: SQLite uses the index for one of each only.
    within = select(func.max(at)).where(own, at > times.c.at, at <= least_of(times.c.at + spacing, end))
    following = select(func.min(at)).where(own, at > times.c.at, at <= end)
    next_time = func.coalesce(within.correlate(times).scalar_subquery(), following.correlate(times).scalar_subquery())
    times = times.union_all(select(next_time).select_from(times).where(times.c.at.is_not(None)))
    return select(times.c.at).where(times.c.at.is_not(None))


def thinned(parts: Iterable[Array], spacing: float) -> Array:
    """Return the times that `select_thinned_times` selects from all times, given in consecutive parts."""
    selected: list[float] = []
    # Last time within `spacing` of the last selected one.
    candidate: float | None = None
    for times in parts:
        i = 0
        while i < len(times):
            reach = selected[-1] + spacing if selected else -math.inf
            within = max(i, int(np.searchsorted(times, reach, "right")))
            if within > i:
                candidate = float(times[within - 1])
                i = within
                continue
            if candidate is None:
                candidate = float(times[i])
                i += 1
            selected.append(candidate)
            candidate = None
    if candidate is not None:
        selected.append(candidate)
    return np.array(selected)


def fetch_numbers(
    connection: Connection,
    query: Select[Any],
    damaged: DamagedRows,
    width: int,
    rows: int = -1,
    table: str = samples.name,
) -> Array:
    """Return the values of a query as an array (rows, width), without damaged rows.

    The driver's cursor fills the array directly: SQLAlchemy's rows would take several times as long, and a list of
    rows many times the memory. Only if that fails are the rows checked one by one.

    Args:
        connection: connection in a transaction.
        query: query of numeric columns without NULL.
        damaged: counter of damaged rows.
        width: number of columns.
        rows: number of rows, damaged ones included; -1 if unknown.
        table: name of the table, under which damaged rows are counted.
    """
    values = chain.from_iterable(raw_rows(connection, query))
    try:
        flat = np.fromiter(values, dtype=np.float64, count=rows * width if rows >= 0 else -1)
    except (ValueError, TypeError):
        return _fetch_checked(connection, query, damaged, width, table)
    return flat.reshape(-1, width)


def _fetch_checked(connection: Connection, query: Select[Any], damaged: DamagedRows, width: int, table: str) -> Array:
    """Return the undamaged rows of a query as an array (rows, width)."""
    checked = [np.empty((0, width))]
    for row in raw_rows(connection, query):
        if all(type(value) in (float, int) for value in row):
            checked.append(np.array([row], dtype=np.float64))
        else:
            damaged.add(table, row[:1])
    return np.concatenate(checked)


def with_nan(values: Array) -> Array:
    """Replace infinity by NaN in place and return the array."""
    for start in range(0, len(values), CHUNK_ROWS):
        chunk = values[start : start + CHUNK_ROWS]
        chunk[np.isinf(chunk)] = np.nan
    return values
