"""Trace reader: samples from CSV files, validated row by row.

The header has `timestamp` and any fields of a sample in any order, and each row is one sample; a file whose name ends
in `.gz` is compressed. Files of other tools have gaps, repeated or unordered rows, and cells without a number: these
are counted. A file that cannot be interpreted is refused with its line number.
"""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from model.units import DAY
from monitor.errors import MonitorError
from monitor.sampling.metric_catalog import METRIC_BY_FIELD
from monitor.system.formatting import LATEST
from monitor.system.suggestions import suggestion
from storage import SAMPLE_FIELDS

Array = npt.NDArray[np.float64]

TIME_COLUMN = "timestamp"

CHUNK_ROWS = 20_000
"""Number of rows that are held as Python numbers at once."""


@dataclass
class TraceStatistics:
    """Counts of rows and cells of a trace file.

    Attributes:
        rows: all rows.
        unordered: rows that are older than an earlier row.
        repeated: rows whose time exists already.
        bad_cells: cells without a possible value; they become missing.
        future: rows too far in the future to be stored.
    """

    rows: int = 0
    unordered: int = 0
    repeated: int = 0
    bad_cells: int = 0
    future: int = 0

    def __str__(self) -> str:
        counts = asdict(self).items()
        return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts if count or name == "rows")


@dataclass(frozen=True)
class Trace:
    """A trace ordered by time, without repeated times.

    Attributes:
        columns: fields in the order of the file.
        times: (rows,) seconds since the epoch.
        values: (rows, columns); NaN for a missing value.
        counts: statistics of the file.
    """

    columns: tuple[str, ...]
    times: Array
    values: Array
    counts: TraceStatistics


def read_trace(path: Path) -> Trace:
    """Read a whole trace file; of several rows with the same time the first one counts.

    Raises:
        MonitorError: the file cannot be read or interpreted; the message contains the line.
    """
    counts = TraceStatistics()
    with _open_text_input(path) as file:
        rows = csv.reader(file)
        names = _read_header(path, rows)
        chunks = list(_read_chunks(path, rows, names, counts))
    columns = tuple(name for name in names if name != TIME_COLUMN)
    table = np.concatenate(chunks) if chunks else np.empty((0, 1 + len(columns)))
    order = np.argsort(table[:, 0], kind="stable")
    table = table[order]
    is_first = np.append(True, np.diff(table[:, 0]) > 0)[: len(table)]
    counts.repeated = int(np.sum(~is_first))
    return Trace(columns=columns, times=table[is_first, 0], values=table[is_first, 1:], counts=counts)


def read_trace_chunks(path: Path, counts: TraceStatistics) -> Iterator[Array]:
    """Yield the rows of a trace file in the order of the file.

    Args:
        path: path of the file.
        counts: statistics to add to.

    Yields:
        Arrays (rows, 1 + SAMPLE_FIELDS): the time and all fields; NaN for a missing value.

    Raises:
        MonitorError: the file cannot be read or interpreted; the message contains the line.
    """
    with _open_text_input(path) as file:
        rows = csv.reader(file)
        names = _read_header(path, rows)
        positions = [0, *(1 + SAMPLE_FIELDS.index(name) for name in names if name != TIME_COLUMN)]
        for chunk in _read_chunks(path, rows, names, counts):
            wide = np.full((len(chunk), 1 + len(SAMPLE_FIELDS)), np.nan)
            wide[:, positions] = chunk
            yield wide


def drop_future_rows(table: Array, now: float, counts: TraceStatistics) -> Array:
    """Return the rows up to one day after `now`: retention could not delete rows that are newer than all others.

    Args:
        table: (rows, columns), the time first.
        now: seconds since the epoch.
        counts: statistics to add to.
    """
    kept = table[table[:, 0] <= now + DAY]
    counts.future += len(table) - len(kept)
    return kept


@contextmanager
def _open_text_input(path: Path) -> Iterator[TextIO]:
    """Open a trace file for reading, and translate the errors of reading it."""
    try:
        with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
            yield file
    except OSError as error:
        raise MonitorError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise MonitorError(f"{path}: not a text file: {error}") from error
    except (EOFError, zlib.error, csv.Error) as error:
        raise MonitorError(f"{path}: {error}") from error


def _read_header(path: Path, rows: Any) -> tuple[str, ...]:
    """Return the names of the columns.

    Raises:
        MonitorError: a column is unknown, repeated or missing.
    """
    names = tuple(name.strip().lower().lstrip("\ufeff") for name in next(rows, []))
    if TIME_COLUMN not in names:
        raise MonitorError(f"{path}, line 1: no column {TIME_COLUMN}")
    for name in names:
        if name != TIME_COLUMN and name not in SAMPLE_FIELDS:
            raise MonitorError(f"{path}, line 1: unknown column {name!r}{suggestion(name, SAMPLE_FIELDS)}")
        if names.count(name) > 1:
            raise MonitorError(f"{path}, line 1: repeated column {name}")
    if len(names) == 1:
        raise MonitorError(f"{path}, line 1: no column except {TIME_COLUMN}")
    return names


def _read_chunks(path: Path, rows: Any, names: tuple[str, ...], counts: TraceStatistics) -> Iterator[Array]:
    """Yield arrays (rows, columns) with the time first and the other columns in the order of the file."""
    time_index = names.index(TIME_COLUMN)
    bounds = [METRIC_BY_FIELD[name].upper_bound for name in names if name != TIME_COLUMN]
    newest = -math.inf
    chunk: list[list[float]] = []
    for row in rows:
        if not row:
            continue
        if len(row) != len(names):
            raise MonitorError(f"{path}, line {rows.line_num}: {len(row)} cells, the header has {len(names)}")
        at = _parse_time(path, rows.line_num, row.pop(time_index))
        counts.rows += 1
        counts.unordered += at < newest
        newest = max(newest, at)
        chunk.append([at, *(_parse_value(cell, bound, counts) for cell, bound in zip(row, bounds, strict=True))])
        if len(chunk) == CHUNK_ROWS:
            yield np.array(chunk)
            chunk = []
    if chunk:
        yield np.array(chunk)


def _parse_time(path: Path, line: int, cell: str) -> float:
    try:
        at = float(cell)
    except ValueError:
        at = -1.0
    if not 0 <= at <= LATEST:
        raise MonitorError(f"{path}, line {line}: timestamp {cell!r} is not in seconds since the epoch")
    return at


def _parse_value(cell: str, bound: float, counts: TraceStatistics) -> float:
    """Return the value of a cell; NaN for an empty one, and for one without a possible value, which is counted."""
    if not cell.strip():
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        value = -1.0
    if math.isnan(value) or (0 <= value <= bound and value != math.inf):
        return value
    counts.bad_cells += 1
    return math.nan
