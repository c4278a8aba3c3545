"""Trace CSV: history as a file, in and out.

A header of `timestamp` and any fields of a sample in any order, then a row a moment; compressed where the name ends
in `.gz`. Files of other tools have holes, repeated and unordered rows and cells that are no numbers: these are
counted, and a file that cannot be understood is refused with the number of the line.
"""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np
import numpy.typing as npt

from model.units import DAY
from monitor.config.fields import nearest
from monitor.errors import MonitorError
from monitor.sampling.sources import RATIO_FIELDS
from monitor.system.atomic_write import created
from monitor.system.formatting import LATEST
from storage import SAMPLE_FIELDS, SampleRepository

Array = npt.NDArray[np.float64]

CHUNK_ROWS = 20_000
"""Rows held as Python numbers at once."""


@dataclass
class TraceStatistics:
    """What a file held: rows, and of them out of order, of a moment that was there already, or far in the future.

    `bad_cells` are those without sense.
    """

    rows: int = 0
    unordered: int = 0
    repeated: int = 0
    bad_cells: int = 0
    future: int = 0

    def __str__(self) -> str:
        told = [
            f"{value} {name.replace('_', ' ')}" for name, value in asdict(self).items() if value or name == "rows"
        ]
        return ", ".join(told)


@dataclass(frozen=True)
class Trace:
    """A trace in the order of time, one row a moment: times (rows,), values (rows, columns) with NaN for missing."""

    columns: tuple[str, ...]
    times: Array
    values: Array
    counts: TraceStatistics


def read_trace(path: Path) -> Trace:
    """The whole of a trace; of several rows of a moment the first one counts.

    Raises:
        MonitorError: the file cannot be read or understood; names the line.
    """
    counts = TraceStatistics()
    with _opened(path) as file:
        rows = csv.reader(file)
        names = _header(path, rows)
        chunks = list(_chunks(path, rows, names, counts))
    columns = tuple(name for name in names if name != "timestamp")
    table = np.concatenate(chunks) if chunks else np.empty((0, 1 + len(columns)))
    order = np.argsort(table[:, 0], kind="stable")
    table = table[order]
    first = np.append(True, np.diff(table[:, 0]) > 0)[: len(table)]
    counts.repeated = int(np.sum(~first))
    return Trace(columns, table[first, 0], table[first, 1:], counts)


def read_trace_chunks(path: Path, counts: TraceStatistics) -> Iterator[Array]:
    """The rows of a trace as they come, (rows, 1 + SAMPLE_FIELDS): the time, then every field, NaN where missing.

    Args:
        path: of the file.
        counts: where what was found is added up.

    Raises:
        MonitorError: the file cannot be read or understood; names the line.
    """
    with _opened(path) as file:
        rows = csv.reader(file)
        names = _header(path, rows)
        places = [0, *(1 + SAMPLE_FIELDS.index(name) for name in names if name != "timestamp")]
        for chunk in _chunks(path, rows, names, counts):
            wide = np.full((len(chunk), 1 + len(SAMPLE_FIELDS)), np.nan)
            wide[:, places] = chunk
            yield wide


def write_trace(file: TextIO, tables: Iterable[Array]) -> int:
    """Writes tables (rows, 1 + SAMPLE_FIELDS) as one trace; returns the number of rows."""
    file.write(",".join(("timestamp", *SAMPLE_FIELDS)) + "\n")
    written = 0
    for table in tables:
        for row in table.tolist():
            file.write(",".join(map(_cell, row)) + "\n")
        written += len(table)
    return written


def drop_future_rows(table: Array, now: float, counts: TraceStatistics) -> Array:
    """The rows not more than a day after now (seconds): what lies further could not be taken out again."""
    kept = table[table[:, 0] <= now + DAY]
    counts.future += len(table) - len(kept)
    return kept


def stored_chunks(samples: SampleRepository, since: float) -> Iterator[Array]:
    """The stored samples after a moment, a day at a time, as `write_trace` wants them."""
    oldest, newest = samples.oldest_at(), samples.last()
    if oldest is None or newest is None:
        return
    start = max(since, np.nextafter(oldest, 0))
    while start < newest.at:
        yield samples.between(start, start + DAY)
        start += DAY


@contextmanager
def open_text_output(path: Path) -> Iterator[TextIO]:
    """A text file to write to, compressed if its name says so.

    Raises:
        MonitorError: it cannot be written.
    """
    with created(path) as file, gzip.open(file, "wt", newline="") if path.suffix == ".gz" else _text(file) as text:
        yield text


def _text(file: BinaryIO) -> TextIO:
    return open(file.fileno(), "w", newline="", encoding="utf-8", closefd=False)


def _cell(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() else repr(value)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
            yield file
    except OSError as error:
        raise MonitorError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise MonitorError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        raise MonitorError(f"{path}: not a text file: {error}") from error
    except csv.Error as error:
        raise MonitorError(f"{path}: {error}") from error


def _header(path: Path, rows: Any) -> tuple[str, ...]:
    names = tuple(name.strip().lower().lstrip("\ufeff") for name in next(rows, []))
    if "timestamp" not in names:
        raise MonitorError(f"{path}, line 1: no column is named timestamp")
    for name in names:
        if name != "timestamp" and name not in SAMPLE_FIELDS:
            raise MonitorError(f"{path}, line 1: unknown column {name!r}{nearest(name, SAMPLE_FIELDS)}")
        if names.count(name) > 1:
            raise MonitorError(f"{path}, line 1: the column {name} is there twice")
    if len(names) == 1:
        raise MonitorError(f"{path}, line 1: no column beside timestamp")
    return names


def _chunks(path: Path, rows: Any, names: tuple[str, ...], counts: TraceStatistics) -> Iterator[Array]:
    """Tables with the time before the other columns, which keep their order."""
    clock = names.index("timestamp")
    limits = [1.0 if name in RATIO_FIELDS else math.inf for name in names if name != "timestamp"]
    newest, found = -math.inf, []
    for row in rows:
        if not row:
            continue
        if len(row) != len(names):
            raise MonitorError(f"{path}, line {rows.line_num}: {len(row)} cells, the header has {len(names)}")
        at = _time(path, rows.line_num, row.pop(clock))
        counts.rows += 1
        counts.unordered += at < newest
        newest = max(newest, at)
        found.append([at, *(_value(cell, limit, counts) for cell, limit in zip(row, limits, strict=True))])
        if len(found) == CHUNK_ROWS:
            yield np.array(found)
            found = []
    if found:
        yield np.array(found)


def _time(path: Path, line: int, cell: str) -> float:
    try:
        at = float(cell)
    except ValueError:
        at = -1.0
    if not 0 <= at <= LATEST:
        raise MonitorError(f"{path}, line {line}: timestamp {cell!r} is not in seconds since the epoch")
    return at


def _value(cell: str, limit: float, counts: TraceStatistics) -> float:
    if not cell.strip():
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        value = -1.0
    if math.isnan(value):
        return value
    if not 0 <= value <= limit or value == math.inf:
        counts.bad_cells += 1
        return math.nan
    return value
