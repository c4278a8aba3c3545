"""Tests of monitor.config.times."""

import pytest

from monitor.config.times import parse_time

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("now", 1000.0),
        ("42.5", 42.5),
        ("-2m", 880.0),
        ("+1h", 4600.0),
        ("1970-01-01T00:01", 60.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("tomorrow", None),
        ("-", None),
    ],
)
def test_parse_time_reads_numbers_dates_and_durations(text, seconds):
    assert parse_time(text, 1000.0) == seconds
