"""Records of anomaly benchmarks: round trip and paired comparison."""

import json

import pytest

from benchmarks.anomaly_records import SeriesScore, figures, load_record, write_record
from benchmarks.labelled import EventScorecard

pytestmark = pytest.mark.unit


def scores():
    first = EventScorecard(events=4, detected=2, false_alarms=1, months=0.5, delays=[10.0, 30.0])
    second = EventScorecard(events=2, detected=1, false_alarms=0, months=1.5, delays=[50.0])
    return [SeriesScore("a", "x", 0.5, first, 2.0), SeriesScore("a", "y", 0.7, second, 3.0)]


def test_record_has_figures_by_set_and_by_series(tmp_path):
    path = tmp_path / "variant.json"
    write_record(path, "a variant", scores())
    record = json.loads(path.read_text())
    assert (record["name"], record["description"], record["seconds"]) == ("variant", "a variant", 5)
    assert (record["vus_pr"], record["events_found"], record["events"]) == ({"a": 0.6}, {"a": 3}, {"a": 6})
    assert (record["false_alarms_per_month"], record["median_delay_minutes"]) == ({"a": 0.5}, 30.0)
    assert load_record(path) == {"a/x": 0.5, "a/y": 0.7}


def test_figures_compare_the_series_in_both_records():
    compared = list(figures({"a/x": 0.5, "a/y": 0.7, "b/z": 0.1}, {"a/x": 0.4, "a/y": 0.5, "c/z": 0.9}))
    assert [figure.value for figure in compared] == pytest.approx([0.6, 0.15, 0.1])
    assert compared[1].name == "VUS-PR, a: difference [+0.100, +0.200]"
