"""Tests of the events of anomalies: started, ended."""

from dataclasses import replace

import pytest

from monitor.notifications.anomalies import anomaly_events
from monitor.queries.event_context import MetricValue
from storage import AnomalyRecord, NotifiedIncident

from .conftest import NOW, ORIGIN, SAMPLE

pytestmark = pytest.mark.unit

SHARES = {"disk_busy": 0.125, "cpu_usage": 0.5, "swap_usage": 0.25, "disk_read": 0.125}
ACTIVE = AnomalyRecord(NOW - 60, None, 0.9, NOW - 60, "joint", SHARES, 1, id=7)
ENDED = replace(ACTIVE, ended_at=NOW)
NEXT = replace(ACTIVE, started_at=NOW + 60, ended_at=NOW + 120, id=8)


def keys(notified, *stored):
    events, newest = anomaly_events(ORIGIN, notified, stored, SAMPLE)
    return [event.key.removeprefix("web1/anomaly/") for event in events], newest


def test_anomaly_is_started_and_ended_once():
    started, notified = keys(None, ACTIVE)
    assert started == ["1799999940.000/started"]
    assert keys(notified, ACTIVE) == ([], notified)
    ended, after = keys(notified, ENDED)
    assert ended == ["1799999940.000/ended"]
    assert keys(after, ENDED) == ([], after)


def test_anomalies_between_two_runs_are_notified_in_their_order():
    _, notified = keys(None, ACTIVE)
    events, newest = keys(notified, NEXT, ENDED)
    assert events == ["1799999940.000/ended", "1800000060.000/started", "1800000060.000/ended"]
    assert newest == NotifiedIncident("anomaly", NOW + 60, in_progress=False)


def test_anomaly_that_ended_before_the_first_channel_is_not_notified():
    assert keys(None, ENDED, NEXT) == ([], None)


def test_event_has_the_top_metrics_with_values_and_shares():
    ((event,), _) = anomaly_events(ORIGIN, None, [ACTIVE], SAMPLE)
    top = [(metric.metric, metric.value, metric.contribution) for metric in event.contributions]
    assert top == [("cpu_usage", 0.875, 0.5), ("swap_usage", None, 0.25), ("disk_busy", None, 0.125)]
    assert event.contributions[0].text == "CPU 87.5%, 50% of the score"
    assert event.contributions[1].text.endswith("25% of the score")
    assert event.details == "Show it: monitor anomalies show 7"


def test_event_has_expected_values_where_they_are_known():
    values = [MetricValue("cpu_usage", 0.5, actual=0.75, expected=0.25), MetricValue("swap_usage", 0.25)]
    ((event,), _) = anomaly_events(ORIGIN, None, [ACTIVE], SAMPLE, lambda _: values)
    cpu, swap, _ = event.contributions
    assert (cpu.value, cpu.text) == (0.75, "CPU 75.0%, expected 25.0%, 50% of the score")
    assert "expected" not in swap.text
