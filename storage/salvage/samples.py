"""Salvaged samples: rows and blocks of a damaged database as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from storage.blocks.columns import MAX_ROWS
from storage.blocks.format import decode_block
from storage.blocks.series import SAMPLES, Array
from storage.rows import cell_reader
from storage.salvage.tables import Row, TableReader
from storage.schema import LOCAL_HOST_ID

_READERS = {
    "host_id": cell_reader(int),
    "start": cell_reader(float),
    "first_at": cell_reader(float),
    "last_at": cell_reader(float),
    "row_count": cell_reader(int),
    "format": cell_reader(int),
    "checksum": cell_reader(int),
    "data": cell_reader(bytes),
}


def sample_batches(reader: TableReader, batch: int) -> Iterator[Array]:
    """Yield the samples of this host in a damaged database, in bounded memory.

    The rows of a damaged block are counted as damaged samples.

    Args:
        reader: reader of the damaged database.
        batch: largest number of rows in an array that does not come from a block.

    Yields:
        Arrays (rows, 1 + SAMPLE_FIELDS): `at` and the fields; NaN for a missing value.
    """
    columns = SAMPLES.columns
    pending: list[list[Any]] = []
    for name, row in reader.rows(SAMPLES.rows.name, SAMPLES.blocks.name):
        if row["host_id"] != LOCAL_HOST_ID:
            continue
        if name == SAMPLES.blocks.name:
            block = _decoded(reader, row)
            if block is not None:
                yield block
            continue
        pending.append([row.get(column) for column in columns])
        if len(pending) == batch:
            yield np.array(pending, dtype=np.float64)
            pending = []
    if pending:
        # None becomes NaN.
        yield np.array(pending, dtype=np.float64)


def _decoded(reader: TableReader, row: Row) -> Array | None:
    """Return the values of a block; None if it is damaged, or if it is a block of another series."""
    # Pages without a readable schema may belong to any table of blocks.
    if row.get("format") != SAMPLES.format:
        return None
    try:
        checked = {name: read(row.get(name)) for name, read in _READERS.items()}
        return decode_block(SAMPLES, SAMPLES.columns, checked).values
    except ValueError:
        # A damaged block may state any number of rows.
        count = row.get("row_count")
        reader.counts.damaged[SAMPLES.rows.name] += count if isinstance(count, int) and 0 < count <= MAX_ROWS else 1
        return None
