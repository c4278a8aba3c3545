"""Times of trace files: seconds, smaller units of the epoch, and ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from monitor.sampling.trace_format.errors import LineError
from monitor.system.formatting import LATEST, approximate_duration, format_time

SHORTEST = 1.0
"""Coarsest resolution in seconds of a time in scientific notation: a spreadsheet shortens 1795800005 to 1.8E+09."""

FUTURE_TOLERANCE = 60.0
"""Seconds by which a time may lie in the future, because clocks of hosts differ."""

EPOCH_UNITS = (
    ("seconds", 1.0, ""),
    ("milliseconds", 1e3, "e-3"),
    ("microseconds", 1e6, "e-6"),
    ("nanoseconds", 1e9, "e-9"),
)
"""Units of epoch times: name, units in a second, and the exponent that converts a written number to seconds.

A number belongs to the first unit in which it lies before the year 10000.
"""

ISO_8601 = "ISO 8601"

_DECIMAL = re.compile(r"\d+(?:\.\d*)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\d+,\d+", re.ASCII)
_SCIENTIFIC = re.compile(r"\d+(?:\.(\d*))?e([+-]?\d{1,3})", re.ASCII | re.IGNORECASE)
_DATE = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?))?\s*([A-Z]{1,5}|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_UTC_NAMES = frozenset({"Z", "UTC", "GMT"})


class TimestampParser:
    """Parses the times of one file, which must all have the same form.

    Attributes:
        form: unit of the epoch times or ISO 8601; empty before the first time.
    """

    def __init__(self, zone: tzinfo | None = None, *, decimal_comma: bool = False) -> None:
        """Prepare for a file.

        Args:
            zone: time zone of dates without one; None to refuse them.
            decimal_comma: accept a comma before the fraction of a number.
        """
        self._zone = zone
        self._decimal_comma = decimal_comma
        self.form = ""

    def __call__(self, cell: str) -> float:
        """Return a time in seconds since the epoch.

        Raises:
            LineError: the text is no time, has another form than the times before, or no time zone.
        """
        text = cell.strip()
        if self._decimal_comma and _DECIMAL_COMMA.fullmatch(text):
            text = text.replace(",", ".")
        if _DECIMAL.fullmatch(text):
            return self._epoch_time(text)
        match = _SCIENTIFIC.fullmatch(text)
        if match:
            return self._scientific(text, match)
        match = _DATE.fullmatch(text)
        if match:
            return self._date(text, match)
        raise LineError(
            f"timestamp {cell!r} is not in seconds since the epoch, and not ISO 8601 such as 2026-03-01T12:00:00Z"
        )

    def _epoch_time(self, text: str) -> float:
        number = float(text)
        for name, units, exponent in EPOCH_UNITS:
            if number <= LATEST * units:
                # 0 fits every unit.
                if number:
                    self._expect(name, text)
                # Converted as text, the result is rounded once.
                return float(f"{text}{exponent}")
        raise LineError(f"timestamp {text!r} is not in seconds since the epoch")

    def _scientific(self, text: str, match: re.Match[str]) -> float:
        decimals, power = match.groups()
        number = float(text)
        for name, units, _ in EPOCH_UNITS:
            if number <= LATEST * units:
                resolution = 10.0 ** (int(power) - len(decimals or "")) / units
                if resolution > SHORTEST:
                    raise LineError(
                        f"timestamp {text!r} was shortened, as spreadsheets do: it is exact to "
                        f"{approximate_duration(resolution)} only"
                    )
                self._expect(name, text)
                return number / units
        raise LineError(f"timestamp {text!r} is not in seconds since the epoch")

    def _date(self, text: str, match: re.Match[str]) -> float:
        date, clock, zone = match.groups()
        try:
            moment = datetime.fromisoformat(f"{date}T{(clock or '00:00').replace(',', '.')}")
            if zone is None:
                moment = self._local(moment, text)
            elif zone.upper() in _UTC_NAMES:
                moment = moment.replace(tzinfo=UTC)
            elif zone.isalpha():
                moment = self._named(moment, zone, text)
            else:
                moment = datetime.fromisoformat(f"{moment.isoformat()}{zone}")
            at = moment.timestamp()
        except LineError:
            raise
        except (ValueError, OverflowError) as error:
            raise LineError(f"timestamp {text!r} is not a valid date: {error}") from error
        if at < 0:
            raise LineError(f"timestamp {text!r} is before 1970")
        self._expect(ISO_8601, text)
        return at

    def _local(self, moment: datetime, text: str) -> datetime:
        """Return a date without a zone in the zone of the file."""
        if self._zone is None:
            raise LineError(
                f"timestamp {text!r} has no time zone: write one such as Z or +01:00, or state it with --timezone"
            )
        earlier, later = (moment.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        if earlier.utcoffset() == later.utcoffset():
            return earlier
        exists = earlier.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) == moment
        problem = "occurs twice" if exists else "does not exist"
        raise LineError(
            f"timestamp {text!r} {problem} in {self._zone}, where the clock changes: write it with an offset"
        )

    def _named(self, moment: datetime, name: str, text: str) -> datetime:
        """Return a date with the abbreviation of a zone, which must be one of the zone of the file."""
        if self._zone is not None:
            for fold in (0, 1):
                local = moment.replace(tzinfo=self._zone, fold=fold)
                if local.tzname() == name.upper():
                    return local
        raise LineError(
            f"timestamp {text!r}: the abbreviation {name} names no unique time zone: write an offset such as +01:00, "
            "or state the zone with --timezone"
        )

    def _expect(self, form: str, text: str) -> None:
        """Remember the form of the first time, and refuse another one."""
        if not self.form:
            self.form = form
        elif self.form != form:
            raise LineError(f"timestamp {text!r} is in {form}, the times before are in {self.form}")


def check_not_future(at: float, text: str, now: float) -> None:
    """Refuse a time more than FUTURE_TOLERANCE after `now`; both in seconds since the epoch.

    Raises:
        LineError: the time is later; names a time zone as the likely reason.
    """
    if at > now + FUTURE_TOLERANCE:
        raise LineError(
            f"timestamp {text.strip()!r} ({format_time(at)}) is {approximate_duration(at - now)} in the future: "
            "is it local time, in another time zone than stated?"
        )
