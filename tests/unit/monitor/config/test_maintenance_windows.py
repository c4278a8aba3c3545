"""Recurring maintenance windows."""

from datetime import UTC, datetime

import pytest

from monitor.config.maintenance_windows import RecurringWindow, format_windows, parse_windows

pytestmark = pytest.mark.unit


def seconds(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("window", "time", "expected"),
    [
        ("daily 23:30-00:30", "2026-03-04T23:29:59", False),
        ("daily 23:30-00:30", "2026-03-04T23:30:00", True),
        ("daily 23:30-00:30", "2026-03-05T00:29:59", True),
        ("daily 23:30-00:30", "2026-03-05T00:30:00", False),
        # 8 March 2026 is a Sunday
        ("Sun 02:00-04:00", "2026-03-08T03:00:00", True),
        ("Sun 02:00-04:00", "2026-03-08T04:00:00", False),
        ("Sun 02:00-04:00", "2026-03-09T03:00:00", False),
        ("sat 22:00-06:00", "2026-03-08T05:00:00", True),
        ("sat 22:00-06:00", "2026-03-07T05:00:00", False),
        ("mon 00:00-24:00", "2026-03-09T23:59:00", True),
    ],
)
def test_window_contains_times_of_its_days(window, time, expected):
    (parsed,) = parse_windows([window])
    assert parsed.contains(seconds(time)) is expected


def test_parse_windows_returns_seconds_of_the_day():
    assert parse_windows(["SUN 02:00-04:30"]) == (RecurringWindow("sun", 7200.0, 16200.0),)


def test_format_windows_is_the_inverse_of_parse_windows():
    text = '["daily 23:30-00:30", "sun 02:00-24:00"]'
    assert format_windows(parse_windows(["daily 23:30-00:30", "SUN 02:00-24:00"])) == text


@pytest.mark.parametrize(
    "value",
    [
        "sun",
        [3],
        ["someday 01:00-02:00"],
        ["sun 25:00-26:00"],
        ["sun 01:00-01:00"],
        ["sun 01:00-24:30"],
    ],
)
def test_parse_windows_rejects_other_forms(value):
    with pytest.raises(ValueError, match=r"."):
        parse_windows(value)


def test_parse_windows_names_the_wrong_entry():
    with pytest.raises(ValueError, match="someday"):
        parse_windows(["sun 01:00-02:00", "someday 01:00-02:00"])
