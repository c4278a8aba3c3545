"""Trace statistics: counts of rows and invalid cells."""

from __future__ import annotations

from dataclasses import dataclass, field

LISTED = 5
"""Largest number of invalid cells, and of rows without a value, that are listed individually."""


@dataclass(frozen=True)
class BadCell:
    """Invalid cell: not a number, or a number outside the bounds of its field.

    Attributes:
        line: line number; 0 if the source has no lines.
        column: name of the column or series.
        text: text of the cell; an ellipsis replaces everything after the first 40 characters.
    """

    line: int
    column: str
    text: str


@dataclass
class TraceStatistics:
    """Counts of rows and cells of a trace file.

    Attributes:
        rows: number of all rows.
        unordered: number of rows that follow a row with a later timestamp.
        repeated: number of rows whose timestamp occurs in an earlier row.
        bad_cells: number of invalid cells; their values are missing.
        without_value: number of rows in which all values are missing.
        bad_cell_examples: the first LISTED invalid cells.
        lines_without_value: line numbers of the first LISTED rows without a value, if the source has lines.
    """

    rows: int = 0
    unordered: int = 0
    repeated: int = 0
    bad_cells: int = 0
    without_value: int = 0
    bad_cell_examples: list[BadCell] = field(default_factory=list)
    lines_without_value: list[int] = field(default_factory=list)

    def add_bad_cell(self, line: int, column: str, text: str) -> None:
        """Count an invalid cell, and keep it as an example if it is one of the first LISTED."""
        self.bad_cells += 1
        if len(self.bad_cell_examples) < LISTED:
            self.bad_cell_examples.append(BadCell(line, column, text if len(text) <= 40 else f"{text[:40]}…"))

    def add_row_without_value(self, line: int = 0) -> None:
        """Count a row without a value, and keep its line number (0: none) if it is one of the first LISTED."""
        self.without_value += 1
        if line and len(self.lines_without_value) < LISTED:
            self.lines_without_value.append(line)

    def add(self, part: TraceStatistics) -> None:
        """Add the counts of another part of the same source."""
        self.rows += part.rows
        self.unordered += part.unordered
        self.repeated += part.repeated
        self.bad_cells += part.bad_cells
        self.without_value += part.without_value
        self.bad_cell_examples = (self.bad_cell_examples + part.bad_cell_examples)[:LISTED]
        self.lines_without_value = (self.lines_without_value + part.lines_without_value)[:LISTED]
