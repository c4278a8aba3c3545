"""Parser of durations."""

import pytest

from monitor.config.durations import parse_duration

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
