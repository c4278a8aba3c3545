"""Timestamps of trace files: epoch times in seconds or smaller units, and ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from monitor.sampling.trace_format.errors import LineError
from monitor.system.formatting import LATEST, approximate_duration, format_time

SHORTEST = 1.0
"""Coarsest accepted resolution, in seconds, of scientific notation: a spreadsheet shortens 1795800005 to 1.8E+09."""

FUTURE_TOLERANCE = 60.0
"""Seconds by which a time may lie in the future, because the clocks of hosts differ."""

EPOCH_UNITS = (
    ("seconds", 1.0, ""),
    ("milliseconds", 1e3, "e-3"),
    ("microseconds", 1e6, "e-6"),
    ("nanoseconds", 1e9, "e-9"),
)
"""Units of epoch times: name, units per second, and the exponent appended to a number's text to get seconds.

A number is read in the first unit in which it lies before the year 10000.
"""

ISO_8601 = "ISO 8601"

MAX_LENGTH = 64
"""Largest accepted length of a timestamp in characters."""

_DECIMAL = re.compile(r"\d+(?:\.\d*)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\d+,\d+", re.ASCII)
_SCIENTIFIC = re.compile(r"\d+(?:\.(\d*))?e([+-]?\d{1,3})", re.ASCII | re.IGNORECASE)
_DATE = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?))?\s*([A-Z]{1,5}|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_UTC_NAMES = frozenset({"Z", "UTC", "GMT"})


class TimestampParser:
    """Parser for the timestamps of one file, which must all have the same form.

    Attributes:
        form: name of the unit of epoch times, or ISO_8601; empty before the first timestamp.
    """

    def __init__(self, zone: tzinfo | None = None, *, decimal_comma: bool = False) -> None:
        """Initialize a parser for one file.

        Args:
            zone: time zone of dates without a time zone; None to refuse such dates.
            decimal_comma: accept a decimal comma in epoch times.
        """
        self._zone = zone
        self._decimal_comma = decimal_comma
        self.form = ""

    def __call__(self, cell: str) -> float:
        """Return a timestamp in seconds since the epoch.

        Raises:
            LineError: the text is not a valid timestamp, or not of the same form as the earlier timestamps; or its
                scientific notation has too few digits; or its time zone is unknown or ambiguous.
        """
        text = cell.strip()
        if len(text) > MAX_LENGTH:
            raise LineError(f"timestamp {text[:MAX_LENGTH]!r}… has {len(text)} characters")
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
                # 0 is valid in every unit.
                if number:
                    self._expect(name, text)
                # Appending the exponent to the text rounds only once.
                return float(f"{text}{exponent}")
        raise LineError(f"timestamp {text!r} is not in seconds since the epoch")

    def _scientific(self, text: str, match: re.Match[str]) -> float:
        decimals, power = match.groups()
        number = float(text)
        for name, units, _ in EPOCH_UNITS:
            if number <= LATEST * units:
                # 0e999 is a valid number, 10.0 ** 999 is not.
                resolution = 10.0 ** min(int(power) - len(decimals or ""), 300) / units
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
        """Attach the time zone of the parser to a naive datetime.

        Raises:
            LineError: the parser has no time zone, or the local time is ambiguous or does not exist.
        """
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
        """Attach the time zone of the parser to a datetime that the file gives with an abbreviation such as CET.

        The abbreviation selects the offset of a local time that occurs twice.

        Raises:
            LineError: the parser has no time zone, or its time zone does not use the abbreviation at that time.
        """
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
        """Store the form of the first timestamp; raise LineError if a later timestamp has another form."""
        if not self.form:
            self.form = form
        elif self.form != form:
            raise LineError(f"timestamp {text!r} is in {form}, the earlier timestamps are in {self.form}")


def check_not_future(at: float, text: str, now: float) -> None:
    """Reject a timestamp in the future; a difference of up to FUTURE_TOLERANCE is accepted.

    Args:
        at: seconds since the epoch.
        text: text of the timestamp, for the message.
        now: current time in seconds since the epoch.

    Raises:
        LineError: `at` is more than FUTURE_TOLERANCE after `now`.
    """
    if at > now + FUTURE_TOLERANCE:
        raise LineError(
            f"timestamp {text.strip()!r} ({format_time(at)}) is {approximate_duration(at - now)} in the future: "
            "is it local time, in another time zone than stated?"
        )
