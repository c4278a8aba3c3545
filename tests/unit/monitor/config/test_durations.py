"""Parser of durations."""

import pytest

from monitor.config.durations import parse_duration, parse_time

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15s", 15), ("5m", 300), ("1h30m", 5400), ("30d", 2_592_000), ("1.5h", 5400), ("0s", 0)],
)
def test_parse_duration_adds_up_the_units(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5w", "5m!", "\u0665m"])
def test_parse_duration_rejects_other_text(text):
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


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
