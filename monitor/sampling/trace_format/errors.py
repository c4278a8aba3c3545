"""Trace file errors: exception to which the row parser adds file name and line number."""

from __future__ import annotations


class LineError(ValueError):
    """Raised when a line cannot be interpreted; `RowParser` adds the file name and the line number.

    Attributes:
        line: line number of the problem; 0 for the current line.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line
