"""Row decoding: typed records from query results; a damaged row is counted and left out.

SQLite stores a value of any type in any column, and one flipped bit changes a type. Every repository therefore reads
rows through this module: a row with an unexpected value costs that row only.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from functools import partial
from itertools import islice
from types import NoneType
from typing import Any, Generic, TypeVar, cast, get_args, get_origin, get_type_hints

from sqlalchemy import Connection, Select

Record = TypeVar("Record")

Reader = Callable[[Any], Any]
"""Function that checks and converts the value of one cell; it raises ValueError for an unexpected value."""

MAX_COUNTED = 10_000
"""Largest number of damaged rows counted in one table."""


class DamagedRows:
    """Number of different damaged rows that one process has read, for each table; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, set[int]] = {}

    def add(self, table: str, key: Sequence[object]) -> None:
        """Count a damaged row, unless a row with the same key has been counted before."""
        with self._lock:
            keys = self._keys.setdefault(table, set())
            if len(keys) < MAX_COUNTED:
                keys.add(hash(tuple(key)))

    def counts(self) -> dict[str, int]:
        """Return the number of damaged rows of each table that has any, by table name."""
        with self._lock:
            return {table: len(keys) for table, keys in sorted(self._keys.items())}


class RowDecoder(Generic[Record]):
    """Decoder of the rows of one query: checks the type of each cell and builds a record."""

    def __init__(self, table: str, build: Callable[..., Record], cells: Sequence[Reader], key: int = 1) -> None:
        """Initialize the decoder.

        Args:
            table: name of the table, under which damaged rows are counted.
            build: builds a record from the values of a row, in the order of the columns.
            cells: one reader per column; see `cell_reader`.
            key: number of leading columns that identify a row.
        """
        self._table = table
        self._build = build
        self._cells = tuple(cells)
        self._key = key

    def read(
        self, damaged: DamagedRows, connection: Connection, query: Select[Any], **values: object
    ) -> list[Record]:
        """Run a query and return its records, without the damaged rows.

        Args:
            damaged: counter of damaged rows.
            connection: connection in a transaction.
            query: query with the columns of the readers.
            values: parameters of the query.
        """
        return list(self.each(damaged, connection, query, **values))

    def each(
        self, damaged: DamagedRows, connection: Connection, query: Select[Any], **values: object
    ) -> Iterator[Record]:
        """Run a query and yield its records, without the damaged rows; see `read`."""
        return self._decoded(damaged, raw_rows(connection, query, values))

    def first(
        self, damaged: DamagedRows, connection: Connection, query: Select[Any], **values: object
    ) -> Record | None:
        """Run a query and return its first undamaged record; None if there is none.

        The query has no LIMIT: a damaged first row would hide the others.
        """
        return next(iter(self.read_first(1, damaged, connection, query, **values)), None)

    def read_first(
        self, limit: int, damaged: DamagedRows, connection: Connection, query: Select[Any], **values: object
    ) -> list[Record]:
        """Run a query without LIMIT and return its first records, at most `limit`, without the damaged rows.

        SQLite computes rows as they are read. A server sends all of them, so that it is asked for a page at a time.
        """
        if connection.dialect.name == "sqlite":
            return list(islice(self.each(damaged, connection, query, **values), limit))
        records: list[Record] = []
        offset = 0
        while len(records) < limit:
            page = list(raw_rows(connection, query.limit(limit).offset(offset), values))
            records += islice(self._decoded(damaged, page), limit - len(records))
            if len(page) < limit:
                break
            offset += limit
        return records

    def _decoded(self, damaged: DamagedRows, rows: Iterable[Sequence[Any]]) -> Iterator[Record]:
        for row in rows:
            try:
                record = self._build(*(read(value) for read, value in zip(self._cells, row, strict=True)))
            except ValueError:
                damaged.add(self._table, row[: self._key])
            else:
                yield record


def record_decoder(
    table: str, kind: type[Record], readers: Mapping[str, Reader] | None = None, key: int = 1
) -> RowDecoder[Record]:
    """Return the decoder for rows whose columns are the fields of a dataclass, in their order.

    Args:
        table: name of the table, under which damaged rows are counted.
        kind: the dataclass; the annotations of its fields determine the allowed values.
        readers: readers of fields with another stored form.
        key: number of leading columns that identify a row.
    """
    hints = get_type_hints(kind)
    cells = [(readers or {}).get(name) or cell_reader(hint) for name, hint in hints.items()]
    return RowDecoder(table, kind, cells, key)


def tuple_decoder(table: str, *kinds: Any) -> RowDecoder[tuple[Any, ...]]:
    """Return the decoder for rows with one column per type, as tuples."""
    return RowDecoder(table, lambda *values: values, [cell_reader(kind) for kind in kinds])


def raw_rows(
    connection: Connection, query: Select[Any], values: Mapping[str, object] | None = None
) -> Iterator[Sequence[Any]]:
    """Run a query and yield its rows as the driver returns them, without the conversions of SQLAlchemy."""
    result = connection.execute(query, dict(values or {}))
    # SQLAlchemy's cursor protocol omits iteration, which every driver's cursor supports.
    cursor = cast("Iterable[Sequence[Any]]", result.cursor)
    try:
        yield from cursor
    finally:
        result.close()


def cell_reader(kind: Any) -> Reader:
    """Return the reader of cells of a type: float, int, str, bool, bytes, an enum, `dict[str, float]` or an option.

    An option is a union with None; any other type is a TypeError. The reader raises ValueError for an unexpected
    value, and for a number that is not finite.
    """
    alternatives = get_args(kind)
    if NoneType in alternatives:
        read = cell_reader(next(other for other in alternatives if other is not NoneType))
        return lambda value: None if value is None else read(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    reader = _READERS.get(get_origin(kind) or kind)
    if reader is None:
        raise TypeError(f"no column has the type {kind}")
    return reader


def decode_text(text: bytes) -> str:
    """Return the text of a cell; a damaged byte becomes U+FFFD, because an exception would cost the whole query."""
    return text.decode("utf-8", errors="replace")


def read_json(value: Any) -> Any:
    """Return the data in a cell with JSON text; None for NULL.

    Raises:
        ValueError: the cell has another type, or its text is not JSON.
    """
    if value is None:
        return None
    try:
        return json.loads(_instance(str, value))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _float(value: Any) -> float:
    # SQLite stores a REAL without a fraction as an integer.
    if type(value) not in (float, int) or not math.isfinite(value):
        raise ValueError("not a number")
    return float(value)


def _int(value: Any) -> int:
    # A sum over an empty or damaged column is a REAL.
    if type(value) is float and value.is_integer():
        return int(value)
    return _instance(int, value)


def _bool(value: Any) -> bool:
    if value not in (0, 1):
        raise ValueError("neither 0 nor 1")
    return bool(value)


def _instance(kind: type[Record], value: Any) -> Record:
    if type(value) is not kind:
        raise ValueError(f"a {type(value).__name__}, not a {kind.__name__}")
    return value


def _numbers_by_name(value: Any) -> dict[str, float]:
    data = read_json(value)
    return {str(name): _float(number) for name, number in _instance(dict, data).items()}


_READERS: dict[Any, Reader] = {
    float: _float,
    int: _int,
    bool: _bool,
    str: partial(_instance, str),
    bytes: partial(_instance, bytes),
    dict: _numbers_by_name,
}
