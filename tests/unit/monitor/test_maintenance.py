"""Hours of the week at which nothing is called an anomaly."""

from datetime import UTC, datetime

import pytest

from monitor.config.maintenance_windows import format_windows, parse_windows

pytestmark = pytest.mark.unit


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_window_holds_on_its_day_alone_and_over_midnight():
    night, sunday = parse_windows(["daily 23:30-00:30", "Sun 02:00-04:00"])
    assert night.contains(at("2026-03-04T23:30:00"))
    assert night.contains(at("2026-03-05T00:29:59"))
    assert not night.contains(at("2026-03-05T00:30:00"))
    assert sunday.contains(at("2026-03-08T03:00:00"))  # a Sunday
    assert not sunday.contains(at("2026-03-09T03:00:00"))
    assert not sunday.contains(at("2026-03-08T04:00:00"))
    (late,) = parse_windows(["sat 22:00-06:00"])
    assert late.contains(at("2026-03-08T05:00:00"))
    assert not late.contains(at("2026-03-07T05:00:00"))
    (whole,) = parse_windows(["mon 00:00-24:00"])
    assert whole.contains(at("2026-03-09T23:59:00"))


def test_windows_are_written_as_they_are_read():
    text = '["daily 23:30-00:30", "sun 02:00-24:00"]'
    assert format_windows(parse_windows(["daily 23:30-00:30", "SUN 02:00-24:00"])) == text


@pytest.mark.parametrize(
    ("wrong", "named"),
    [("sun", "list"), ([3], "list"), (["someday 01:00-02:00"], "someday"), (["sun 25:00-26:00"], "25:00")],
)
def test_another_form_is_refused_by_name(wrong, named):
    with pytest.raises(ValueError, match=named):
        parse_windows(wrong)


@pytest.mark.parametrize("wrong", ["sun 01:00-01:00", "sun 01:00-24:30"])
def test_a_window_of_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="ends after"):
        parse_windows([wrong])
