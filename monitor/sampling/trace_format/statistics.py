"""Statistics of a trace file: rows, and cells without a possible value."""

from __future__ import annotations

from dataclasses import dataclass, field

LISTED = 5
"""Bad cells and rows that are listed one by one."""


@dataclass(frozen=True)
class BadCell:
    """A cell without a possible value.

    Attributes:
        line: number of the line.
        column: name of the column.
        text: text of the cell, shortened.
    """

    line: int
    column: str
    text: str


@dataclass
class TraceStatistics:
    """Counts of rows and cells of a trace file.

    Attributes:
        rows: all rows.
        unordered: rows that are older than an earlier row.
        repeated: rows whose time an earlier row has.
        bad_cells: cells without a possible value; they become missing.
        without_value: rows in which no cell has a value.
        bad_cell_examples: the first bad cells.
        lines_without_value: numbers of the first lines without a value.
    """

    rows: int = 0
    unordered: int = 0
    repeated: int = 0
    bad_cells: int = 0
    without_value: int = 0
    bad_cell_examples: list[BadCell] = field(default_factory=list)
    lines_without_value: list[int] = field(default_factory=list)

    def add_bad_cell(self, line: int, column: str, text: str) -> None:
        """Count a bad cell."""
        self.bad_cells += 1
        if len(self.bad_cell_examples) < LISTED:
            self.bad_cell_examples.append(BadCell(line, column, text if len(text) <= 40 else f"{text[:40]}…"))

    def add_row_without_value(self, line: int) -> None:
        """Count a row without a value."""
        self.without_value += 1
        if len(self.lines_without_value) < LISTED:
            self.lines_without_value.append(line)
