"""Cells of trace files: numbers, units, missing values and invalid cells."""

from __future__ import annotations

import math
import re

from monitor.sampling.metric_catalog import METRIC_BY_FIELD, RATIO_FIELDS, Unit
from monitor.sampling.trace_format.errors import LineError
from monitor.sampling.value_bounds import TOLERANCE, validated_value

MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "undefined", "-"})
"""Cells that stand for a missing value, in lower case."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_LIKE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)


class DecimalMarks:
    """Decimal mark (point or comma) of one file whose separator is not a comma; a file with both marks is refused."""

    def __init__(self) -> None:
        self._point_line = 0
        self._comma_line = 0
        self._certain = False

    def with_point(self, number: str, line: int) -> str:
        """Return the text of a number with a decimal point instead of a decimal comma.

        Args:
            number: text of a number.
            line: line number.

        Raises:
            LineError: an earlier line has the other decimal mark.
        """
        if "." in number and _NUMBER.fullmatch(number):
            self._point_line = self._point_line or line
            self._certain |= not _LIKE_THOUSANDS.fullmatch(number)
        if _DECIMAL_COMMA.fullmatch(number):
            self._comma_line = self._comma_line or line
            self._certain |= not _LIKE_THOUSANDS.fullmatch(number)
            number = number.replace(",", ".")
        if self._point_line and self._comma_line:
            other = min(self._point_line, self._comma_line)
            raise LineError(f"decimal points and decimal commas in one file (the other mark is in line {other})")
        return number

    def check(self) -> None:
        """Check, after the last line, that the marks are decimal marks and not thousands separators.

        Raises:
            LineError: every mark may also separate thousands, as in 1,234; the error names the first such line.
        """
        if self._certain or not (self._comma_line or self._point_line):
            return
        if self._comma_line:
            problem = "a comma as in 1,234 may be a decimal mark or separate thousands: write decimal points"
        else:
            problem = "a point as in 1.234 may be a decimal mark or separate thousands: separate the cells by commas"
        raise LineError(problem, self._comma_line or self._point_line)


class CellParser:
    """Parser for the cells of one column; call it once per cell, in the order of the lines.

    Attributes:
        field: field of a sample.
        percent: True if the field is a ratio from 0 to 1 and the numbers are percentages.
        largest: largest value so far, as a ratio; only valid if `percent` is True.
    """

    def __init__(self, field: str, column: str, *, percent: bool, marks: DecimalMarks | None) -> None:
        """Initialize a parser.

        Args:
            field: field of a sample.
            column: name of the column in the file, for messages.
            percent: True if ratios are written as percentages.
            marks: decimal mark of the file; None if the separator is a comma, so that the mark must be a point.
        """
        self.field = field
        self._column = column
        self._marks = marks
        self._is_bounded_ratio = field in RATIO_FIELDS
        self._may_have_sign = METRIC_BY_FIELD[field].unit is Unit.RATIO
        self.percent = percent and self._is_bounded_ratio
        # Fast path of __call__: a plain number up to this bound needs no further check.
        self._plain_bound = 0.0 if self.percent or marks else METRIC_BY_FIELD[field].upper_bound
        self._has_signs: bool | None = None
        self.largest = 0.0

    def __call__(self, cell: str, line: int) -> float | None:
        """Return the value of a cell in the unit of the field: NaN for a missing value, None for an invalid cell.

        Args:
            cell: text of the cell.
            line: line number.

        Raises:
            LineError: the cell shows that the column has another unit, mixed units or mixed decimal marks.
        """
        try:
            value = float(cell)
        except ValueError:
            return self._parse(cell, line)
        if 0.0 <= value <= self._plain_bound and not self._has_signs and cell.isascii() and "_" not in cell:
            self._has_signs = False
            # The addition turns -0.0 into 0.0.
            return value + 0.0
        return self._parse(cell, line)

    def _parse(self, cell: str, line: int) -> float | None:
        text = cell.strip(" \t\r\n")
        if text.lower() in MISSING:
            return math.nan
        has_sign = self._may_have_sign and text.endswith("%")
        number = text[:-1].rstrip(" ") if has_sign else text
        if self._marks is not None:
            number = self._marks.with_point(number, line)
        if not _NUMBER.fullmatch(number):
            return None
        self._check_sign(has_sign, text)
        value = _hundredth(number) if has_sign or self.percent else float(number)
        if self._is_bounded_ratio:
            self._check_ratio(value, text)
        self.largest = max(self.largest, value)
        return validated_value(self.field, value)

    def _check_sign(self, has_sign: bool, text: str) -> None:
        """Raise LineError if only some cells of the column have a percent sign and the others may be ratios."""
        if self.percent:
            return
        if self._has_signs not in (None, has_sign):
            raise LineError(f"{self._column} is {text!r}: some cells have a percent sign, others have none")
        self._has_signs = has_sign

    def _check_ratio(self, value: float, text: str) -> None:
        """Raise LineError if a finite ratio exceeds 1 + TOLERANCE, for example because it is a percentage."""
        if not 1 + TOLERANCE < value < math.inf:
            return
        if self.percent or text.endswith("%"):
            raise LineError(f"{self._column} is {text!r}, which is above 100 percent")
        raise LineError(f"{self._column} is {text!r}, but it is a ratio from 0 to 1: percent? use --percent")


def _hundredth(number: str) -> float:
    """Convert the text of a number and divide it by 100; an appended `e-2`, if possible, avoids rounding twice."""
    return float(number) / 100 if "e" in number.lower() else float(f"{number}e-2")
