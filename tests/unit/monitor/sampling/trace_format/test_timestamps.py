"""Times of trace files."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sampling.trace_format.errors import LineError
from monitor.sampling.trace_format.timestamps import TimestampParser, check_not_future

pytestmark = pytest.mark.unit

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1795800000", 1795800000.0),
        (" 1795800000.25 ", 1795800000.25),
        ("0", 0.0),
        ("1795800000123", 1795800000.123),
        ("1795800000123456", 1795800000.123456),
        ("1795800000123456789", 1795800000.1234568),
        ("1.795800005E+09", 1795800005.0),
        ("1.7958000055e9", 1795800005.5),
        ("2026-11-27T10:00:00Z", 1795773600.0),
        ("2026-11-27 10:00:00 UTC", 1795773600.0),
        ("2026-11-27t10:00:00z", 1795773600.0),
        ("2026-11-27T11:00:00+01:00", 1795773600.0),
        ("2026-11-27 11:00:00 +0100", 1795773600.0),
        ("2026-11-27T10:00Z", 1795773600.0),
        ("2026-11-27T10:00:00.25Z", 1795773600.25),
        ("2026-11-27T10:00:00,25Z", 1795773600.25),
        ("2026-11-27T10:00:00.123456789Z", 1795773600.123456),
        ("2026-11-27Z", 1795737600.0),
    ],
)
def test_parser_reads_epoch_units_and_iso_8601_with_a_zone(cell, expected):
    assert TimestampParser()(cell) == expected


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "seconds since the epoch"),
        ("0e999", "shortened"),
        ("-1", "seconds since the epoch"),
        ("nan", "seconds since the epoch"),
        ("inf", "seconds since the epoch"),
        ("1_795_800_000", "seconds since the epoch"),
        ("١٧٩٥٨٠٠٠٠٠", "seconds since the epoch"),
        ("1795800000,5", "seconds since the epoch"),
        ("11/27/2026 10:00", "ISO 8601"),
        ("27.11.2026 10:00", "ISO 8601"),
        ("yesterday", "ISO 8601"),
        ("1" * 25, "seconds since the epoch"),
        ("1.8E+30", "seconds since the epoch"),
        ("1.76E+09", "shortened.*116 d"),
        ("1.7958E+09", "shortened"),
        ("1.7958e+12", "shortened"),
        ("1" * 5000, r"^timestamp '1{64}'… has 5000 characters$"),
        ("2026-13-01T00:00:00Z", "valid date"),
        ("2026-02-30T00:00:00Z", "valid date"),
        ("2026-11-27T24:30:00Z", "valid date"),
        ("1969-12-31T23:59:59Z", "before 1970"),
        ("2026-11-27T10:00:00", "no time zone.*--timezone"),
        ("2026-11-27", "no time zone.*--timezone"),
        ("2026-11-27 10:00:00 CET", "CET.*--timezone"),
    ],
)
def test_parser_refuses_what_is_no_certain_time(cell, reason):
    with pytest.raises(LineError, match=reason):
        TimestampParser()(cell)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-11-27 11:00:00", 1795773600.0),
        ("2026-07-01T12:00", 1782900000.0),
        ("2026-11-27 11:00:00 CET", 1795773600.0),
        ("2026-10-25 02:30:00 CEST", 1792888200.0),
        ("2026-10-25 02:30:00 CET", 1792891800.0),
        ("2026-11-27 11:00:00Z", 1795777200.0),
    ],
)
def test_parser_reads_local_dates_in_a_stated_zone(cell, expected):
    assert TimestampParser(BERLIN)(cell) == expected


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("2026-10-25 02:30:00", "occurs twice in Europe/Berlin"),
        ("2026-03-29 02:30:00", "does not exist in Europe/Berlin"),
        ("2026-11-27 10:00:00 EST", "EST"),
    ],
)
def test_parser_refuses_local_dates_at_a_change_of_the_clock(cell, reason):
    with pytest.raises(LineError, match=reason):
        TimestampParser(BERLIN)(cell)


@pytest.mark.parametrize("other", ["1795800000123", "2026-11-27T10:00:00Z", "1795800000123456", "1.795800005E+12"])
def test_parser_refuses_a_second_form_in_one_file(other):
    parse = TimestampParser()
    parse("0")
    parse("1795800000")
    with pytest.raises(LineError, match="seconds"):
        parse(other)


def test_parser_accepts_a_decimal_comma_where_the_file_has_them():
    assert TimestampParser(decimal_comma=True)("1795800000,5") == 1795800000.5


@given(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)), st.sampled_from(["Z", "+00:00", "-11:30", "+14:00"]))
def test_parser_agrees_with_datetime(moment, zone):
    text = f"{moment.isoformat()}{zone}"
    expected = datetime.fromisoformat(text)
    if expected.timestamp() >= 0:
        assert TimestampParser()(text) == expected.astimezone(UTC).timestamp()


@given(st.integers(0, 4_000_000_000), st.integers(0, 999_999))
def test_units_of_the_epoch_yield_the_same_time(seconds, micros):
    exact = float(f"{seconds}.{micros:06d}")
    assert TimestampParser()(f"{seconds}.{micros:06d}") == exact
    if seconds > 300_000_000:
        assert TimestampParser()(f"{seconds}{micros:06d}") == exact
        assert TimestampParser()(f"{seconds}{micros:06d}000") == exact


def test_time_up_to_a_minute_ahead_is_not_in_the_future():
    check_not_future(1060.0, "1060", 1000.0)
    with pytest.raises(LineError, match=r"'1061'.*1 min in the future.*local time"):
        check_not_future(1061.0, "1061", 1000.0)


@given(st.text(max_size=30))
def test_parser_returns_a_time_or_refuses_any_text(cell):
    try:
        at = TimestampParser(BERLIN, decimal_comma=True)(cell)
    except LineError:
        return
    assert 0 <= at <= 253_402_300_799
