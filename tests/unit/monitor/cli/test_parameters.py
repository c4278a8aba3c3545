"""Parameter types: valid values, and usage errors for all others."""

import time
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from monitor.cli.parameters import DURATION, INPUT_FILE, OUTPUT_FILE, ROW_ID, SINCE, TIME, parse_time

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0
MARCH = datetime(2026, 3, 1, tzinfo=UTC).timestamp()


@pytest.fixture(autouse=True)
def _fixed_clock(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: NOW)


def convert(kind, text):
    return kind.convert(text, None, None)


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("9223372036854775807", 2**63 - 1)])
def test_row_id_accepts_positive_integers(text, number):
    assert convert(ROW_ID, text) == number


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "", "\u0661", "9223372036854775808"])
def test_row_id_rejects_other_text(text):
    with pytest.raises(click.BadParameter):
        convert(ROW_ID, text)


@pytest.mark.parametrize(("text", "seconds"), [("2h", 7200.0), ("1h30m", 5400.0), ("36525d", 36525 * 86400.0)])
def test_duration_is_in_seconds(text, seconds):
    assert convert(DURATION, text) == seconds


@pytest.mark.parametrize("text", ["", "2", "0s", "-2h", "36526d", "99999999d"])
def test_duration_rejects_other_text(text):
    with pytest.raises(click.BadParameter):
        convert(DURATION, text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1000", 1000.0),
        ("1000.5", 1000.5),
        ("now", NOW),
        ("-2h", NOW - 7200),
        ("+1h30m", NOW + 5400),
        ("2026-03-01", MARCH),
        ("2026-03-01T00:00:00Z", MARCH),
        ("2026-03-01 01:00:00+01:00", MARCH),
        ("0", 0.0),
    ],
)
def test_time_is_in_seconds_since_the_epoch(text, seconds):
    assert convert(TIME, text) == seconds


@pytest.mark.parametrize("text", ["", "2h", "yesterday", "nan", "inf", "1e300", "-1", "-99999d", "2026-13-01"])
def test_time_rejects_other_text(text):
    with pytest.raises(click.BadParameter):
        convert(TIME, text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7d", 7 * 86400.0), ("-7d", 7 * 86400.0), (str(NOW - 60), 60.0), ("2026-03-01", NOW - MARCH)],
)
def test_since_is_a_duration_or_a_time_in_the_past(text, seconds):
    assert convert(SINCE, text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "+1h", "now", "x", "99999999d"])
def test_since_rejects_other_text(text):
    with pytest.raises(click.BadParameter):
        convert(SINCE, text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("2026-02-30", "neither a duration such as 7d nor a time"), ("-99999d", "not between 1970 and now")],
)
def test_since_states_the_reason(text, reason):
    with pytest.raises(click.BadParameter, match=reason):
        convert(SINCE, text)


@pytest.mark.parametrize(
    ("kind", "text", "path"),
    [
        (INPUT_FILE, "-", Path("/dev/stdin")),
        (OUTPUT_FILE, "-", Path("/dev/stdout")),
        (INPUT_FILE, "./-", Path("-")),
        (OUTPUT_FILE, "missing/x.csv", Path("missing/x.csv")),
    ],
)
def test_file_is_a_path_and_a_dash_a_standard_stream(kind, text, path):
    assert convert(kind, text) == path


def test_parse_time_returns_none_for_other_text():
    assert parse_time("2h", NOW) is None
