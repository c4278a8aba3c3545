"""Trace reader: samples from CSV files, validated row by row.

In a wide table, the header names `timestamp` and fields of a sample in any order, and each row is one sample. A long
table has one row per series and time. Duplicate timestamps, unordered rows and invalid cells are counted. An
ambiguous file is refused, and the error names the line; docs/how-to/import.md states the rules.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from monitor.errors import MonitorError
from monitor.sampling.trace_format.layout import TIME_COLUMN
from monitor.sampling.trace_format.options import TraceOptions
from monitor.sampling.trace_format.row_parser import RowParser
from monitor.sampling.trace_format.statistics import TraceStatistics
from monitor.sampling.trace_format.text_input import open_lines

__all__ = ["TIME_COLUMN", "Trace", "TraceOptions", "TraceRows", "TraceStatistics", "read_rows", "read_trace"]

Array = npt.NDArray[np.float64]

SMALL_PERCENTAGE = 0.01
"""If no percentage exceeds this ratio, the values are probably ratios: even an idle host uses more memory."""

MAX_NUMBERS = 2**27
"""Largest number of times and values of a file, 1 GiB of memory: 15 months of all metrics every 5 seconds."""

SPREADSHEET_DAYS = (36_526, 73_051)
"""Spreadsheet dates from 2000-01-01 up to 2100-01-01, in days since 1899-12-30."""


@dataclass(frozen=True)
class TraceRows:
    """Rows of a trace file in the order of the file.

    Attributes:
        columns: field of each column of `values`.
        times: (rows,) seconds since the epoch.
        values: (rows, columns); NaN for a missing value.
        counts: counts of rows and invalid cells.
        ignored: names of columns that were not read.
        names: names of all columns of a wide table, or of all series of a long table; in lower case.
    """

    columns: tuple[str, ...]
    times: Array
    values: Array
    counts: TraceStatistics
    ignored: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Trace:
    """Trace ordered by time, without duplicate timestamps.

    Attributes:
        columns: field of each column of `values`.
        times: (rows,) seconds since the epoch.
        values: (rows, columns); NaN for a missing value.
        counts: counts of rows and invalid cells in the file.
    """

    columns: tuple[str, ...]
    times: Array
    values: Array
    counts: TraceStatistics


def read_trace(path: Path, options: TraceOptions | None = None) -> Trace:
    """Read a whole trace file; for duplicate timestamps, use the first value of each field.

    Raises:
        MonitorError: the file cannot be read or interpreted; the message contains the path and, if known, the line.
    """
    rows = read_rows(path, options)
    order = np.argsort(rows.times, kind="stable")
    times = rows.times[order]
    values = rows.values[order]
    is_first = np.append(True, np.diff(times) > 0)[: len(times)]
    target = 0
    for source in np.flatnonzero(~is_first).tolist():
        # Rows with the same time are adjacent.
        target = source - 1 if is_first[source - 1] else target
        values[target] = np.where(np.isnan(values[target]), values[source], values[target])
    return Trace(columns=rows.columns, times=times[is_first], values=values[is_first], counts=rows.counts)


def read_rows(path: Path, options: TraceOptions | None = None) -> TraceRows:
    """Read all rows of a trace file in the order of the file.

    Raises:
        MonitorError: the file cannot be read or interpreted; the message contains the path and, if known, the line.
    """
    with open_lines(path) as lines:
        return rows_of_lines(path, lines, options or TraceOptions())


def rows_of_lines(path: Path, lines: Iterator[str], options: TraceOptions) -> TraceRows:
    """Return all rows of the lines of a trace file; as `read_rows`."""
    table = array("d")
    parser = RowParser(path, options, lines)
    for row in parser.rows():
        table.extend(row)
        if len(table) > MAX_NUMBERS:
            raise MonitorError(f"{path}: more than {MAX_NUMBERS} times and values: split the file")
    numbers = np.frombuffer(table, dtype=np.float64).reshape(-1, 1 + len(parser.columns))
    rows = TraceRows(
        columns=parser.columns,
        times=numbers[:, 0],
        values=numbers[:, 1:],
        counts=parser.counts,
        ignored=parser.ignored,
        names=parser.names,
    )
    _check_percentages(path, parser.largest_percentage)
    _check_not_days(path, rows.times)
    _check_duplicates(path, rows)
    return rows


def _check_percentages(path: Path, largest: float | None) -> None:
    """Reject a file whose percentages are so small that they are probably ratios.

    Args:
        path: path of the file.
        largest: largest percentage as a ratio; None if no column has percentages.

    Raises:
        MonitorError: the largest percentage is above 0 and at most SMALL_PERCENTAGE.
    """
    if largest is not None and 0 < largest <= SMALL_PERCENTAGE:
        raise MonitorError(
            f"{path}: no value is above 1, so they look like ratios: leave out --percent; if they are percentages, "
            "leave it out too and write each with its sign, as in 0.4%"
        )


def _check_not_days(path: Path, times: Array) -> None:
    """Reject spreadsheet dates, which would be read as times of day on 1970-01-01.

    Raises:
        MonitorError: all times are in the range SPREADSHEET_DAYS, and at least one is not a whole number.
    """
    first_day, last_day = SPREADSHEET_DAYS
    fractions = times[times % 1 > 0]
    if len(fractions) and times.min() >= first_day and times.max() < last_day:
        raise MonitorError(
            f"{path}: timestamps such as {fractions[0]:.10g} are the days of a spreadsheet: write them as ISO 8601, "
            "such as 2026-03-01T12:00:00Z"
        )


def _check_duplicates(path: Path, rows: TraceRows) -> None:
    """Set `rows.counts.repeated`, and reject timestamps that were rounded, for example by a spreadsheet.

    Raises:
        MonitorError: for more than half of all rows, the preceding row in time order has the same timestamp but
            another value.
    """
    order = np.argsort(rows.times, kind="stable")
    later = np.flatnonzero(np.diff(rows.times[order]) == 0) + 1
    rows.counts.repeated = len(later)
    # Comparisons with NaN are False: a missing value does not differ.
    row = rows.values[order[later]]
    previous = rows.values[order[later - 1]]
    differing = int(((row < previous) | (row > previous)).any(axis=1).sum())
    if differing > len(rows.times) / 2:
        raise MonitorError(
            f"{path}: {differing} of {len(rows.times)} rows have the timestamp of another row but other values: "
            "were the timestamps rounded?"
        )
