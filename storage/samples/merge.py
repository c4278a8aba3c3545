"""Merging of imported rows into stored samples: new rows, filled values, replaced values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, insert, select, update

from storage.blocks.expansion import expand_hours
from storage.blocks.reading import BlockReader
from storage.blocks.series import SAMPLES, hour_of
from storage.quantization import quantize_values
from storage.rows import DamagedRows, raw_rows
from storage.samples.arrays import Array
from storage.schema import samples

KEYS_PER_QUERY = 500
"""Number of times in the IN clause of one query; SQLite releases before 3.32 allow 999 parameters."""


@dataclass(frozen=True)
class MergedRows:
    """Result of merging imported rows into the stored samples.

    Attributes:
        is_stored: (rows,) True if a sample with the same time was stored before the merge.
        written: (rows, fields) True for each value that was written, to a new or a stored sample.
        overwritten: (rows, fields) True for each written value that replaced a different stored value.
        values: (rows, fields) values stored after the merge; NaN for a missing value.
    """

    is_stored: NDArray[np.bool_]
    written: NDArray[np.bool_]
    overwritten: NDArray[np.bool_]
    values: Array


def merge_rows(
    connection: Connection, host_id: int, times: Array, values: Array, fields: Sequence[str], *, replace: bool
) -> MergedRows:
    """Insert rows whose times are not stored; fill missing values of stored rows with the same times.

    Args:
        connection: connection in a writing transaction.
        host_id: ID of the host.
        times: (rows,) unique times in seconds since the epoch.
        values: (rows, fields) NaN for a missing value.
        fields: field of each column of `values`.
        replace: True to replace stored values that differ.
    """
    values = quantize_values(values, fields)
    stored = rows_at(connection, host_id, times, fields)
    is_stored = np.array([at in stored for at in times.tolist()], dtype=bool)
    current = np.full(values.shape, np.nan)
    for row in np.flatnonzero(is_stored):
        current[row] = stored[float(times[row])]
    is_known = ~np.isnan(values)
    is_missing = np.isnan(current)
    overwritten = is_known & ~is_missing & (values != current) & replace
    written = (is_known & is_missing) | overwritten
    result = np.where(written, values, current)
    new = ~is_stored
    expand_hours(connection, SAMPLES, host_id, times[new | written.any(axis=1)].tolist())
    _insert_rows(connection, host_id, list(_named_rows(times[new], result[new], fields)))
    changed = is_stored & written.any(axis=1)
    _update_rows(connection, host_id, list(_named_rows(times[changed], result[changed], fields)), fields)
    return MergedRows(is_stored=is_stored, written=written, overwritten=overwritten, values=result)


def rows_at(connection: Connection, host_id: int, times: Array, fields: Sequence[str]) -> dict[float, list[float]]:
    """Return the values of the stored samples with the given times, keyed by time; NaN for a missing value."""
    rows: dict[float, list[float]] = {}
    for start in range(0, len(times), KEYS_PER_QUERY):
        keys = times[start : start + KEYS_PER_QUERY].tolist()
        query = select(samples.c.at, *(samples.c[name] for name in fields)).where(
            samples.c.host_id == host_id, samples.c.at.in_(keys)
        )
        for at, *values in raw_rows(connection, query):
            # A damaged value counts as missing, so that an import replaces it.
            rows[at] = [value if type(value) in (float, int) else math.nan for value in values]
    return {**_block_rows_at(connection, host_id, frozenset(times.tolist()), fields), **rows}


def _block_rows_at(
    connection: Connection, host_id: int, times: frozenset[float], fields: Sequence[str]
) -> dict[float, list[float]]:
    """Return the values of the samples in blocks with the given times; see `rows_at`."""
    hours = sorted(map(hour_of, times))
    reader = BlockReader(connection, DamagedRows(), SAMPLES, host_id)
    if not hours or not reader.any(hours[0], hours[-1]):
        return {}
    blocks = (block for hour in sorted(set(hours)) for block in reader.blocks(hour, hour, ("at", *fields)))
    return {at: values for block in blocks for at, *values in block.values.tolist() if at in times}


def _named_rows(times: Array, values: Array, fields: Sequence[str]) -> Iterator[dict[str, float | None]]:
    """Yield the statement parameters of each row: `key_at` and one per field; None for a missing value."""
    for at, row in zip(times.tolist(), values.tolist(), strict=True):
        cells = (None if math.isnan(value) else value for value in row)
        yield {"key_at": at, **dict(zip(fields, cells, strict=True))}


def _insert_rows(connection: Connection, host_id: int, rows: Sequence[dict[str, float | None]]) -> None:
    if rows:
        query = insert(samples).values(host_id=host_id, at=bindparam("key_at"))
        connection.execute(query, rows)


def _update_rows(
    connection: Connection, host_id: int, rows: Sequence[dict[str, float | None]], fields: Sequence[str]
) -> None:
    if rows:
        query = (
            update(samples)
            .where(samples.c.host_id == host_id, samples.c.at == bindparam("key_at"))
            .values({name: bindparam(name) for name in fields})
        )
        connection.execute(query, rows)
