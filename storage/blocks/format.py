"""Block format: the columns of one hour as bytes with a checksum."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from storage.blocks.columns import decode_column, encode_column
from storage.blocks.series import Array, Series

_COUNT = struct.Struct("<H")
_METADATA = struct.Struct("<qdddqq")


@dataclass(frozen=True)
class Block:
    """Decoded columns of one hour.

    Attributes:
        start: start of the hour in seconds since the epoch.
        values: (rows, columns) in the order of reading: by time, predictions also by horizon; NaN where missing.
    """

    start: float
    values: Array


def encode_block(series: Series, host_id: int, start: float, values: Array) -> dict[str, Any]:
    """Return the row of the block table for the rows of one hour.

    Args:
        series: time series.
        host_id: ID of the host.
        start: start of the hour in seconds since the epoch.
        values: (rows, series.columns) at least one row; NaN where missing.
    """
    position = {name: i for i, name in enumerate(series.columns)}
    values = values[np.lexsort([values[:, position[name]] for name in reversed(series.order)])]
    columns = [encode_column(np.ascontiguousarray(column)) for column in values.T]
    lengths = struct.pack(f"<{len(columns)}I", *map(len, columns))
    row: dict[str, Any] = {
        "host_id": host_id,
        "start": start,
        "first_at": float(values[:, 0].min()),
        "last_at": float(values[:, 0].max()),
        "row_count": len(values),
        "format": series.format,
        "data": _COUNT.pack(len(columns)) + lengths + b"".join(columns),
    }
    return {**row, "checksum": _checksum(row)}


def decode_block(series: Series, names: Sequence[str], row: dict[str, Any]) -> Block:
    """Return columns of a block, given its row of the block table.

    Args:
        series: time series.
        names: names of the columns; `at` is the first one. A column that a block of an earlier release lacks is NaN.
        row: values of the row by column, of the types of the columns.

    Raises:
        ValueError: the block is damaged, or of another format.
    """
    if row["format"] != series.format or row["checksum"] != _checksum(row):
        raise ValueError("its format or its checksum")
    data: bytes = row["data"]
    rows: int = row["row_count"]
    (count,) = _COUNT.unpack_from(data)
    lengths = struct.unpack_from(f"<{count}I", data, _COUNT.size)
    ends = list(accumulate(lengths, initial=_COUNT.size + 4 * count))

    def column(name: str) -> Array:
        number = series.columns.index(name)
        return decode_column(data[ends[number] : ends[number + 1]], rows) if number < count else np.full(rows, np.nan)

    values = np.empty((rows, len(names)))
    for i, name in enumerate(names):
        values[:, i] = column(name)
    if len(series.order) > 1:
        values = values[np.lexsort([column(name) for name in reversed(series.keys)])]
    return Block(row["start"], values)


def _checksum(row: dict[str, Any]) -> int:
    """Return the CRC-32 of all other columns."""
    names = ("host_id", "start", "first_at", "last_at", "row_count", "format")
    try:
        metadata = _METADATA.pack(*(row[name] for name in names))
    except struct.error as error:
        raise ValueError("a number is too large") from error
    return zlib.crc32(row["data"], zlib.crc32(metadata))
