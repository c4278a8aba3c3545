"""Tests of the capacity events: raised, escalated, cleared, and the end of a file system that is gone."""

import pytest

from monitor.notifications.capacity import (
    absence_event,
    absent_incidents,
    capacity_event,
    resource_incident_kind,
)
from monitor.notifications.events import Change, Severity
from storage import CapacityResource

from .conftest import NOW, ORIGIN, disk

pytestmark = pytest.mark.unit

DATA = CapacityResource("filesystem", "/data", "1", NOW)


def change(notified, resource):
    event = capacity_event(ORIGIN, notified, resource)
    return (None, notified) if event is None else (event[0].change, event[1])


def raised(resource):
    event, incident = capacity_event(ORIGIN, None, resource)
    assert event.change is Change.RAISED
    return event, incident


def test_incident_is_raised_escalated_and_cleared_once():
    assert change(None, disk("/data")) == (None, None)
    _, incident = raised(disk("/data", warning=True))
    assert change(incident, disk("/data", warning=True))[0] is None
    escalated, incident = change(incident, disk("/data", used=0.96, probability=1.0))
    assert escalated is Change.ESCALATED
    assert change(incident, disk("/data", used=0.97, probability=1.0))[0] is None
    assert change(incident, disk("/data", warning=True))[0] is None
    cleared, incident = change(incident, disk("/data"))
    assert cleared is Change.CLEARED
    assert not incident.in_progress
    assert change(incident, disk("/data"))[0] is None
    assert change(incident, disk("/data", warning=True, at=NOW + 300))[0] is Change.RAISED


def test_resource_without_a_prediction_keeps_its_incident():
    _, incident = raised(disk("/data", warning=True))
    assert change(incident, disk("/data", probability=None)) == (None, incident)
    assert change(incident, disk("/data", used=0.96, probability=None))[0] is Change.ESCALATED


def test_event_of_a_file_system_has_usage_probability_and_expected_time():
    event, incident = raised(disk("/data", warning=True))
    use = event.capacity
    assert (use.resource, use.mountpoint, use.usage, use.limit) == ("filesystem", "/data", 0.9, 0.95)
    assert (use.exhausted, use.expected_at) == (False, NOW + 36_000)
    assert (event.horizon, event.probability, event.base_rate) == (86_400, 0.8, 0.01)
    assert (event.severity, event.severities) == (Severity.WARNING, (Severity.WARNING,))
    assert event.lines == (
        "Probability: 80% within 1d, usually 1%",
        "Used: 90%, limit 95%",
        "Limit expected to be passed: 2027-01-15 18:00:00 UTC",
        "Time: 2027-01-15 08:00:00 UTC",
    )
    assert event.incident == f"web1/capacity/{incident.kind}/1800000000.000"
    assert event.key == f"{event.incident}/raised"


def test_event_above_the_limit_is_critical_and_predicts_nothing():
    event, _ = raised(disk("/data", used=0.96, probability=1.0, full_seconds=0.0))
    assert event.severity is Severity.CRITICAL
    assert (event.capacity.exhausted, event.capacity.expected_at) == (True, None)
    assert event.lines == ("Used: 96%, limit 95%", "Time: 2027-01-15 08:00:00 UTC")


def test_escalation_keeps_the_incident_and_both_severities():
    first, incident = raised(disk("/data", warning=True))
    event, _ = capacity_event(ORIGIN, incident, disk("/data", used=0.96, at=NOW + 300))
    assert (event.incident, event.started_at, event.at) == (first.incident, NOW, NOW + 300)
    assert event.severities == (Severity.WARNING, Severity.CRITICAL)
    assert event.key != first.key


def test_event_of_the_memory_has_no_mount_point():
    event, _ = raised(disk("memory", warning=True, kind="memory", full_seconds=None))
    assert (event.capacity.resource, event.capacity.mountpoint, event.horizon) == ("memory", None, 3600)


def test_kinds_of_resources_differ_and_fit_the_database():
    kinds = {resource_incident_kind("filesystem", name) for name in ("/", "/data", "/d" * 200, "memory")}
    kinds.add(resource_incident_kind("memory", "memory"))
    assert len(kinds) == 5
    assert max(map(len, kinds)) <= 16


def test_absent_file_system_ends_its_incident():
    _, incident = raised(disk("/data", warning=True))
    incidents = {incident.kind: incident}
    assert absent_incidents(incidents, [disk("/data")]) == []
    assert absent_incidents(incidents, [disk("/")]) == [incident]
    event, ended = absence_event(ORIGIN, incident, [DATA], NOW + 600)
    assert (event.change, event.capacity.mountpoint, event.capacity.usage) == (Change.CLEARED, "/data", None)
    assert event.at == NOW + 600
    assert absent_incidents({ended.kind: ended}, []) == []


def test_absent_memory_keeps_its_incident():
    _, incident = raised(disk("memory", warning=True, kind="memory"))
    memory = CapacityResource("memory", "memory", "", NOW)
    assert absence_event(ORIGIN, incident, [memory, DATA], NOW) is None
