"""Errors of trace files, raised where a line is not known yet."""

from __future__ import annotations


class LineError(ValueError):
    """Raised when a line cannot be interpreted; the reader adds the file and the number of the line.

    Attributes:
        line: number of the line if it is an earlier one; else 0.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line
