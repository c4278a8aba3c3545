"""Numbers, durations and times as text."""

import pytest

from monitor.config.durations import parse_duration
from monitor.system.formatting import (
    EARLIEST,
    LATEST,
    approximate_duration,
    format_duration,
    format_mebibytes,
    format_number,
    format_percent,
    format_scientific,
    format_time,
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
        (format_mebibytes(3 * 2**19), "1.5 MiB"),
        (format_mebibytes(None), "-"),
    ],
)
def test_numbers_are_formatted_and_absent_ones_are_a_dash(text, expected):
    assert text == expected
