"""Tests of the events of high load: raised, escalated, cleared."""

from dataclasses import replace

import pytest

from monitor.notifications.events import Change, Severity
from monitor.notifications.high_load import high_load_event
from storage import NotifiedIncident

from .conftest import NOW, ORIGIN, SAMPLE, forecast

pytestmark = pytest.mark.unit

HIGH = object()


def changes(*states):
    """Return (change, level, severities) for each state that gives rise to an event: warned horizons, or HIGH."""
    incident = None
    events = []
    for number, state in enumerate(states):
        at = NOW + number
        newest = forecast(at=at, high_load_since=at) if state is HIGH else forecast(*state, at=at)
        change = high_load_event(ORIGIN, incident, newest, SAMPLE)
        if change is not None:
            event, incident = change
            events.append((event.change.value, incident.level, [severity.value for severity in event.severities]))
    return events


def test_calm_host_has_no_event():
    assert changes((), ()) == []


def test_warning_is_raised_escalated_and_cleared_once():
    assert changes((60,), (60,), (15, 60), (5, 15, 60), (60,), (5, 60), HIGH, HIGH, (), ()) == [
        ("raised", 3600.0, ["info"]),
        ("escalated", 900.0, ["info", "warning"]),
        ("escalated", 300.0, ["info", "warning"]),
        ("escalated", 0.0, ["info", "warning", "critical"]),
        ("cleared", 0.0, ["info", "warning", "critical"]),
    ]


def test_high_load_without_a_warning_is_raised():
    assert changes(HIGH, (), HIGH) == [
        ("raised", 0.0, ["critical"]),
        ("cleared", 0.0, ["critical"]),
        ("raised", 0.0, ["critical"]),
    ]


def test_keys_of_an_incident_are_distinct_and_stable():
    incident = None
    keys = []
    for newest in (forecast(60), forecast(15), forecast(5), forecast()):
        event, incident = high_load_event(ORIGIN, incident, newest, SAMPLE)
        assert event.incident == "web1/high_load/1800000000.000"
        keys.append(event.key.removeprefix(f"{event.incident}/"))
    assert keys == ["raised", "escalated-900", "escalated-300", "cleared"]


def test_event_describes_the_shortest_warned_horizon_and_the_top_metrics():
    event, _ = high_load_event(ORIGIN, None, forecast(15, 60), SAMPLE)
    assert (event.horizon, event.probability, event.base_rate) == (900.0, 0.515, 0.05)
    assert (event.change, event.severity, event.load_is_high) == (Change.RAISED, Severity.WARNING, False)
    assert [(metric.metric, metric.value, metric.contribution) for metric in event.contributions] == [
        ("cpu_usage", 0.875, 2.0),
        ("load_index", None, 1.0),
        ("swap_usage", None, 0.5),
    ]
    assert event.contributions[0].text == "cpu_usage 900"
    assert (event.host, event.url, event.at) == ("web1", ORIGIN.url, NOW)


def test_event_of_high_load_describes_the_shortest_horizon():
    event, _ = high_load_event(ORIGIN, None, forecast(high_load_since=NOW - 60), SAMPLE)
    assert (event.horizon, event.load_is_high) == (300.0, True)
    assert "continues or returns" in event.lines[0]


def test_incident_of_a_former_process_is_cleared():
    raised = NotifiedIncident("high_load", NOW - 600, 900.0, 900.0)
    event, incident = high_load_event(ORIGIN, raised, forecast(), SAMPLE)
    assert (event.change, event.started_at, incident) == (
        Change.CLEARED,
        NOW - 600,
        replace(raised, in_progress=False),
    )
    assert event.title.endswith("after 10 min")
