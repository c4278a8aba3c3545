"""Stored rows: reading in batches, validity of their values, and their digest."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnClause,
    Connection,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    column,
    select,
    table,
)

from storage.column_types import JsonText

BATCH_BYTES = 8 * 2**20
"""Approximate size of the values of one batch in bytes; a block takes about 30 kB, and a model about 100 kB."""

BATCH_ROWS = 2000
"""Largest number of rows of one batch."""

_DIGEST_BITS = 128


def writable(stored: Table) -> Any:
    """Return a table for the INSERT of raw values: JSON is text already."""
    columns = (column(own.name, JsonText() if isinstance(own.type, JSON) else own.type) for own in stored.columns)
    return table(stored.name, *columns)


def read_batches(connection: Connection, stored: Table) -> Iterator[list[tuple[Any, ...]]]:
    """Yield all rows of a table in order of its key, as the driver returns them.

    Args:
        connection: connection in a reading transaction.
        stored: table.
    """
    # Columns without a type: their values are not converted.
    columns: dict[str, ColumnClause[Any]] = {name: column(name) for name in stored.columns.keys()}  # noqa: SIM118 - its items are columns
    query = select(*columns.values()).select_from(table(stored.name))
    query = query.order_by(*(columns[name] for name in stored.primary_key.columns.keys()))  # noqa: SIM118
    # A server sends the rows as they are read, instead of all at once.
    rows = connection.execute(query.execution_options(stream_results=True))
    size = 0
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(tuple(row))
        size += sum(len(value) for value in row if isinstance(value, bytes | str))
        if len(batch) == BATCH_ROWS or size >= BATCH_BYTES:
            yield batch
            batch = []
            size = 0
    if batch:
        yield batch


def is_valid(row: Sequence[Any], columns: Sequence[Column[Any]]) -> bool:
    """Return True if every value of a row has the type of its column, and PostgreSQL can store it."""
    return all(_is_valid(value, own) for value, own in zip(row, columns, strict=True))


def _is_valid(value: Any, own: Column[Any]) -> bool:
    if value is None:
        return bool(own.nullable)
    kind = getattr(own.type, "impl_instance", own.type)
    if isinstance(kind, Float):
        return type(value) in (float, int) and not math.isnan(value)
    if isinstance(kind, Boolean):
        return value in (0, 1)
    if isinstance(kind, Integer):
        return type(value) is int
    if isinstance(kind, LargeBinary):
        return isinstance(value, bytes)
    is_text = isinstance(value, str) and isinstance(kind, String | JSON)
    return is_text and "\0" not in value


class TableDigest:
    """Digest of the rows of one table, the same in any order and from any driver.

    Attributes:
        rows: number of rows.
        value: sum of the digests of the rows, modulo 2 to the power of 128.
    """

    def __init__(self, stored: Table) -> None:
        self.rows = 0
        self.value = 0
        self._columns = list(stored.columns)

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows."""
        for row in rows:
            digest = hashlib.sha256()
            for value, own in zip(row, self._columns, strict=True):
                content = _canonical(value, own)
                digest.update(len(content).to_bytes(8, "little"))
                digest.update(content)
            number = int.from_bytes(digest.digest()[: _DIGEST_BITS // 8], "little")
            self.value = (self.value + number) % (1 << _DIGEST_BITS)
        self.rows += len(rows)


def _canonical(value: Any, own: Column[Any]) -> bytes:
    """Return the bytes of a valid value, the same for a number of either type and for a truth value."""
    if value is None:
        return b"-"
    if isinstance(value, bytes):
        return b"b" + value
    if isinstance(value, str):
        return b"t" + value.encode(errors="surrogatepass")
    if isinstance(own.type, Float):
        return b"f" + float(value).hex().encode()
    return b"i%d" % int(value)
