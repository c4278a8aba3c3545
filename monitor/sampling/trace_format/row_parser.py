"""Row parser: times and values from the lines of a trace file, with counts."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from monitor.errors import MAX_PROBLEM_LENGTH, MonitorError, shortened
from monitor.sampling.trace_format.cells import CellParser, DecimalMarks
from monitor.sampling.trace_format.errors import LineError
from monitor.sampling.trace_format.foreign_formats import foreign_format
from monitor.sampling.trace_format.layout import TIME_COLUMN, Layout, quote_problem, read_layout, series_field
from monitor.sampling.trace_format.options import TraceOptions
from monitor.sampling.trace_format.statistics import TraceStatistics
from monitor.sampling.trace_format.timestamps import TimestampParser, check_not_future
from storage import SAMPLE_FIELDS

HEAD_LINES = 20
"""Number of lines at the start of a file that are searched for a foreign format."""


class RowParser:
    """Parser for one trace file: lines to rows of numbers.

    Attributes:
        columns: field of each value that follows the time in a row.
        ignored: names of columns that are not read.
        counts: counts of the rows read so far.
    """

    def __init__(self, path: Path, options: TraceOptions, lines: Iterator[str]) -> None:
        """Read the header, which determines `columns` and `ignored`.

        Args:
            path: path of the file, for messages.
            options: interpretation of the file.
            lines: lines of the file.

        Raises:
            MonitorError: the file has a foreign format, or its header is missing or invalid.
        """
        self._path = path
        self._options = options
        self.counts = TraceStatistics()
        head = list(islice(lines, HEAD_LINES))
        if problem := foreign_format(head):
            raise MonitorError(f"{path}, line 1: {problem}")
        self._lines = chain(head, lines)
        self._line = 0
        self._layout = self._read_header()
        self.ignored = self._layout.ignored
        self._marks = None if self._layout.separator == "," else DecimalMarks()
        self._parse_time = TimestampParser(options.zone, decimal_comma=self._marks is not None)
        self._is_long = self._layout.series >= 0
        fields = tuple(column.field for column in self._layout.columns)
        self.columns = SAMPLE_FIELDS if self._is_long else fields
        # Parser by column of a wide table, or by series of a long table; series are added when they first appear.
        self._parsers = {column.name: self._parser(column.field, column.name) for column in self._layout.columns}
        self._cells = [(column.position, column.name, self._parsers[column.name]) for column in self._layout.columns]
        self._newest = -math.inf

    def rows(self) -> Iterator[list[float]]:
        """Yield each row: its time in seconds since the epoch, followed by its values; NaN for a missing value.

        Raises:
            MonitorError: a line cannot be interpreted.
        """
        try:
            for row in self._records():
                yield self._parse_row(row)
            if self._marks is not None:
                self._marks.check()
        except LineError as error:
            raise self._refusal(error) from error

    @property
    def names(self) -> frozenset[str]:
        """Return all column names of a wide table, or the series names of a long table read so far; in lower case."""
        return self._layout.names | {name.strip().lower() for name in self._parsers}

    @property
    def largest_percentage(self) -> float | None:
        """Return the largest percentage read so far, as a ratio; None if no column has percentages."""
        return max((parser.largest for parser in self._parsers.values() if parser.percent), default=None)

    def _parser(self, name: str, column: str) -> CellParser:
        return CellParser(name, column, percent=self._options.percent, marks=self._marks)

    def _series_parser(self, name: str) -> CellParser:
        """Return the parser for a series of a long table.

        Raises:
            LineError: the series is unknown, or another series holds the same field.
        """
        target = series_field(self._layout, name)
        for other, parser in self._parsers.items():
            if parser.field == target and other.strip().lower() != name.strip().lower():
                raise LineError(f"series {other!r} and {name!r} both hold {target}: keep one of them")
        return self._parser(target, name)

    def _refusal(self, error: LineError) -> MonitorError:
        # A message may quote a cell or a name, which is as long as the line.
        problem = shortened(str(error), MAX_PROBLEM_LENGTH)
        return MonitorError(f"{self._path}, line {error.line or self._line}: {problem}")

    def _read_header(self) -> Layout:
        """Return the layout of the first non-empty line; a line such as `sep=;` before it states the separator.

        Raises:
            MonitorError: the file is empty, or the header is invalid.
        """
        separator = ""
        for line in self._lines:
            self._line += 1
            text = line.strip()
            if text.lower().startswith("sep=") and len(text) <= len("sep=") + 1:
                separator = text[len("sep=") :] or "\t"
            elif text:
                try:
                    return read_layout(line, separator, self._options.columns, percent=self._options.percent)
                except LineError as error:
                    raise self._refusal(error) from error
        raise MonitorError(f"{self._path}, line 1: no column {TIME_COLUMN}: the file is empty")

    def _records(self) -> Iterator[list[str]]:
        """Yield the cells of each non-empty row, and set `_line` to its line number.

        Raises:
            LineError: a quote is not closed in its line, or text follows a closing quote.
        """
        rows = csv.reader(self._lines, delimiter=self._layout.separator, skipinitialspace=True, strict=True)
        offset = self._line
        while True:
            self._line += 1
            try:
                row = next(rows, None)
            except csv.Error as error:
                raise LineError(quote_problem(error)) from error
            if row is None:
                return
            if offset + rows.line_num != self._line:
                raise LineError(quote_problem(None))
            if any(row) and any(cell.strip() for cell in row):
                yield row

    def _parse_row(self, row: list[str]) -> list[float]:
        layout = self._layout
        if len(row) != layout.width:
            raise LineError(f"{len(row)} cells, the header has {layout.width}")
        for position in layout.unnamed:
            if row[position].strip():
                raise LineError(f"column {position + 1} has the value {row[position]!r} and no name in the header")
        at = self._parse_time(row[layout.time])
        if self._options.now is not None:
            check_not_future(at, row[layout.time], self._options.now)
        values = self._long_values(row) if self._is_long else self._wide_values(row)
        self.counts.rows += 1
        self.counts.unordered += at < self._newest
        self._newest = max(self._newest, at)
        if all(map(math.isnan, values)):
            self.counts.add_row_without_value(self._line)
        return [at, *values]

    def _wide_values(self, row: Sequence[str]) -> list[float]:
        values = []
        for position, column, parse in self._cells:
            value = parse(row[position], self._line)
            if value is None:
                self.counts.add_bad_cell(self._line, column, row[position])
                value = math.nan
            values.append(value)
        return values

    def _long_values(self, row: Sequence[str]) -> list[float]:
        name = row[self._layout.series]
        parse = self._parsers.get(name)
        if parse is None:
            parse = self._parsers[name] = self._series_parser(name)
        cell = row[self._layout.value]
        value = parse(cell, self._line)
        if value is None:
            self.counts.add_bad_cell(self._line, name, cell)
        values = [math.nan] * len(self.columns)
        values[self.columns.index(parse.field)] = math.nan if value is None else value
        return values
