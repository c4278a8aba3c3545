"""Arrays of samples: rows of the database as numbers, without a Python object for each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Float, Select, bindparam, func, select

from storage.schema import samples

Array = NDArray[np.float64]

CHUNK_ROWS = 8192
"""Rows whose missing values are replaced at once: a mask of the whole history would take an eighth of its memory."""


def select_samples(fields: Sequence[str]) -> Select[Any]:
    """Select `at` and the fields ordered by time, with infinity for a missing value."""
    present = (func.coalesce(samples.c[name], bindparam("missing", math.inf, Float)) for name in fields)
    return select(samples.c.at, *present).order_by(samples.c.at)


def fetch_numbers(connection: Connection, query: Select[Any], size: int) -> Array:
    """Return all values of a result in one flat array of `size` numbers; -1 for an unknown size.

    The driver's cursor fills the array directly: SQLAlchemy's rows would take several times as long, and a list of
    rows many times the memory.
    """
    # SQLAlchemy's cursor protocol omits iteration, which every driver's cursor supports.
    cursor = cast("Iterable[Sequence[float]]", connection.execute(query).cursor)
    return np.fromiter(chain.from_iterable(cursor), dtype=np.float64, count=size)


def with_nan(values: Array) -> Array:
    """Return the same array with NaN instead of infinity."""
    for start in range(0, len(values), CHUNK_ROWS):
        chunk = values[start : start + CHUNK_ROWS]
        chunk[np.isinf(chunk)] = np.nan
    return values
