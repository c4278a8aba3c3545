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
_WITH_UNIT = re.compile(r"([^\s%]*[\d.,]) ?(%|(?:[mkMGTP]|µ|[KMGTP]i)?(?:[Bb]|[pc]|ops|req)/s)")
"""Number with a unit, as Grafana formats values."""

_PREFIXES = {
    **{prefix: 1000.0**power for power, prefix in enumerate(("", "k", "M", "G", "T", "P"))},
    **{f"{prefix}i": 1024.0**power for power, prefix in enumerate("KMGTP", 1)},
    "m": 1e-3,
    "µ": 1e-6,
}

_BASE_UNITS = {
    Unit.BYTES_PER_SECOND: {"B/s": 1.0, "b/s": 1 / 8},
    Unit.PER_SECOND: {"p/s": 1.0, "c/s": 1.0, "ops/s": 1.0, "req/s": 1.0},
}
"""Factors of the units without prefix in which Grafana formats the values of a field."""

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
        self._base_units = _BASE_UNITS.get(METRIC_BY_FIELD[field].unit, {})
        self.percent = percent and self._is_bounded_ratio
        # Fast path of __call__: a plain number up to this bound needs no further check.
        self._plain_bound = 0.0 if self.percent or marks else METRIC_BY_FIELD[field].upper_bound
        self._has_units: bool | None = None
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
        if 0.0 <= value <= self._plain_bound and not self._has_units and cell.isascii() and "_" not in cell:
            self._has_units = False
            # The addition turns -0.0 into 0.0.
            return value + 0.0
        return self._parse(cell, line)

    def _parse(self, cell: str, line: int) -> float | None:
        text = cell.strip(" \t\r\n")
        if text.lower() in MISSING:
            return math.nan
        match = _WITH_UNIT.fullmatch(text)
        number, unit = match.groups() if match else (text, "")
        factor = self._factor(unit)
        if self._marks is not None:
            number = self._marks.with_point(number, line)
        if factor is None or not _NUMBER.fullmatch(number):
            return None
        self._check_unit(bool(unit), text)
        value = _hundredth(number) if unit == "%" or self.percent else float(number) * factor
        if self._is_bounded_ratio:
            self._check_ratio(value, text)
        self.largest = max(self.largest, value)
        return validated_value(self.field, value)

    def _factor(self, unit: str) -> float | None:
        """Return the factor from a unit to the unit of the field; None if the field has no such unit."""
        if unit in ("", "%"):
            return 1.0 if not unit or self._may_have_sign else None
        base = next((name for name in self._base_units if unit.endswith(name)), None)
        if base is None:
            return None
        prefix = _PREFIXES.get(unit.removesuffix(base))
        return None if prefix is None else prefix * self._base_units[base]

    def _check_unit(self, has_unit: bool, text: str) -> None:
        """Raise LineError if only some cells of the column state a unit and the others may have another one."""
        if self.percent:
            return
        if self._has_units not in (None, has_unit):
            kind = "a percent sign" if self._may_have_sign else "a unit"
            raise LineError(f"{self._column} is {text!r}: some cells have {kind}, others have none")
        self._has_units = has_unit

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
