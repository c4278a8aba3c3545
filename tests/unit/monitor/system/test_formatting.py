"""Numbers, durations and times as text."""

import pytest

from monitor.config.durations import parse_duration
from monitor.sampling.metric_catalog import Unit
from monitor.system.formatting import (
    EARLIEST,
    LATEST,
    approximate_duration,
    format_bytes,
    format_clock,
    format_count,
    format_duration,
    format_number,
    format_percent,
    format_quantity,
    format_scientific,
    format_since,
    format_time,
    iso_time,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("seconds", "text"), [(300, "5m"), (3600, "1h"), (5400, "90m"), (90, "90s"), (0, "0s"), (2.5, "2.5s")]
)
def test_format_duration_is_exact_and_inverted_by_parse_duration(seconds, text):
    assert format_duration(seconds) == text
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"), [(45, "45 s"), (725, "12 min"), (7200, "2 h"), (100 * 86400, "100 d"), (9000, "2.5 h")]
)
def test_approximate_duration_uses_the_largest_unit(seconds, text):
    assert approximate_duration(seconds) == text


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (None, "never"),
        (1_800_000_000.0, "2027-01-15 08:00:00 UTC"),
        (LATEST, "9999-12-31 23:59:59 UTC"),
        (LATEST + 1, "after 9999-12-31"),
        (float("inf"), "after 9999-12-31"),
        (EARLIEST, "0001-01-01 00:00:00 UTC"),
        (-1e15, "before 0001-01-01"),
    ],
)
def test_format_time_states_the_bound_for_a_time_beyond_the_calendar(at, text):
    # C libraries differ in whether they pad the year 1
    assert format_time(at).rjust(23, "0") == text.rjust(23, "0")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (format_number(0.12345, 2), "0.12"),
        (format_number(None), "-"),
        (format_percent(0.256), "26%"),
        (format_percent(None), "-"),
        (format_scientific(0.00123), "1.23e-03"),
        (format_scientific(None), "-"),
        (format_bytes(3 * 2**19), "1.5 MiB"),
        (format_bytes(3 * 2**29), "1.5 GiB"),
        (format_bytes(3 * 2**20, 0), "3 MiB"),
        (format_bytes(None), "-"),
    ],
)
def test_numbers_are_formatted_and_absent_ones_are_a_dash(text, expected):
    assert text == expected


def test_iso_time_is_absent_outside_the_calendar():
    assert iso_time(1_800_000_000.0) == "2027-01-15T08:00:00+00:00"
    assert iso_time(1e18) is None
    assert iso_time(-1e18) is None


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, Unit.RATIO, "-"),
        (0.256, Unit.RATIO, "25.6%"),
        (0.0, Unit.BYTES_PER_SECOND, "0 B/s"),
        (1000.0, Unit.BYTES_PER_SECOND, "1 kB/s"),
        (2.5e6, Unit.BYTES_PER_SECOND, "2.5 MB/s"),
        (1.25e9, Unit.BYTES_PER_SECOND, "1.25 GB/s"),
        (0.5, Unit.PER_SECOND, "0.5/s"),
    ],
)
def test_format_quantity_appends_the_unit(value, unit, text):
    assert format_quantity(value, unit) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.0, "0%"), (0.003, "<1%"), (0.0099, "<1%"), (0.01, "1%"), (0.99, "99%"), (0.996, ">99%"), (1.0, "100%")],
)
def test_format_percent_shows_no_certainty_that_is_none(ratio, text):
    assert format_percent(ratio) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 gaps"), (1, "1 gap"), (2, "2 gaps")])
def test_format_count_has_the_plural_unless_the_count_is_one(count, text):
    assert format_count(count, "gap") == text
    assert format_count(2, "anomaly", "anomalies") == "2 anomalies"


def test_format_since_has_time_and_distance_and_the_date_of_another_day():
    now = 1_800_000_000.0
    assert format_since(now - 300, now) == "07:55 UTC (5 min)"
    assert format_since(now - 86_400, now) == "2027-01-14 08:00 UTC (1 d)"


def test_load_per_cpu_is_no_percentage():
    assert format_quantity(1.25, Unit.PER_CPU) == "1.25"


def test_format_clock_has_the_time_of_day():
    assert format_clock(1_800_000_000.0) == "08:00"
    assert format_clock(1e15) == "after 9999-12-31"
