"""Notifications of a fleet."""

import json

import pytest

from monitor.fleet.notifications.host_events import FleetEventCollector, incident_change, incident_kind
from monitor.notifications.events import Change
from monitor.notifications.outbox import Outbox
from storage import NotificationRepository, NotifiedIncident, open_database
from tests.unit.monitor.fleet.fleets import START, STEP, fleet_config, running_fleet

pytestmark = pytest.mark.unit

NOTIFY = {"clear_after": "0s", "channels": {"ops": {"kind": "command", "argv": ["true"]}}}


class Notified:
    """Collector over a fleet, with the notifications that it has queued."""

    def __init__(self, fleet, database, notify=None, **sections):
        self.fleet = fleet
        self.repository = NotificationRepository(database)
        self.outbox = Outbox(self.repository)
        self.outbox.load(fleet.clock.now)
        config = fleet_config(notify=notify or NOTIFY, **sections)
        self.collector = FleetEventCollector(
            config, self.outbox, fleet.fleet_state, lambda: "http://server:10190", fleet.clock
        )

    def collect(self):
        """Return the events of one run."""
        before = set(self.outbox._unsaved)
        self.collector.collect(self.fleet.clock.now)
        return [json.loads(self.outbox._unsaved[key].event) for key in self.outbox._unsaved if key not in before]


@pytest.fixture
def database():
    with open_database("sqlite://") as opened:
        yield opened


def changes(events):
    return sorted((event["host"], event["change"]) for event in events)


def test_each_loaded_host_is_notified_once(database):
    notified = Notified(running_fleet(), database)
    events = notified.collect()
    assert changes(events) == [("db1:9100", "raised"), ("web2:9100", "raised")]
    warning = next(event for event in events if event["host"] == "web2:9100")
    assert warning["title"] == "High load expected on web2:9100 within 5m"
    assert warning["url"] == "http://server:10190/fleet/hosts/web2:9100"
    assert (warning["horizon"], warning["probability"], warning["base_rate"]) == (300.0, 0.6, 0.1)
    assert notified.collect() == []


def test_warning_escalates_and_clears(database):
    fleet = running_fleet({"a": 0.6})
    notified = Notified(fleet, database)
    notified.collect()
    fleet.source.loads["a"] = 0.95
    fleet.step()
    assert changes(notified.collect()) == [("a", "escalated")]
    fleet.source.loads["a"] = 0.1
    fleet.step()
    events = notified.collect()
    assert changes(events) == [("a", "cleared")]
    assert events[0]["title"] == "High load ended on a after 2 min"


def test_end_waits_for_clear_after(database):
    fleet = running_fleet({"a": 0.6})
    notified = Notified(fleet, database, notify={**NOTIFY, "clear_after": "2m"})
    notified.collect()
    fleet.source.loads["a"] = 0.1
    seen = []
    for _ in range(4):
        fleet.step()
        seen.append(len(notified.collect()))
    assert seen == [0, 0, 1, 0]


def test_restart_notifies_nothing_again(database):
    fleet = running_fleet()
    notified = Notified(fleet, database)
    notified.collect()
    notified.outbox.save(fleet.clock.now)
    again = Notified(running_fleet(), database)
    assert again.collect() == []


def test_host_without_a_sample_keeps_its_incident(database):
    fleet = running_fleet({"a": 0.6, "b": 0.1})
    notified = Notified(fleet, database)
    notified.collect()
    del fleet.source.loads["a"]
    fleet.step(5)
    assert notified.collect() == []
    fleet.source.loads["a"] = 0.1
    fleet.step()
    assert changes(notified.collect()) == [("a", "cleared")]


def test_missed_steps_that_are_filled_notify_nothing(database):
    fleet = running_fleet({"a": 0.1})
    notified = Notified(fleet, database)
    seen = []
    advance = fleet.members.advance

    def advance_and_collect(taken, **options):
        advance(taken, **options)
        seen.append((taken.time, changes(notified.collect())))

    fleet.source.error = "no answer"
    fleet.step(2)
    fleet.source.error = None
    fleet.source.loads["a"] = 0.95
    fleet.members.advance = advance_and_collect
    fleet.step()
    assert seen == [(START + STEP, []), (START + 2 * STEP, []), (START + 3 * STEP, [("a", "raised")])]


def test_stale_host_notifies_nothing_during_an_outage(database):
    fleet = running_fleet({"a": 0.95})
    fleet.source.error = "no answer"
    fleet.step(4)
    assert Notified(fleet, database).collect() == []


def test_nothing_is_notified_in_maintenance(database):
    windows = [f"daily {hour:02}:00-{hour:02}:59" for hour in range(24)]
    notified = Notified(running_fleet(), database, anomaly={"maintenance": windows})
    assert notified.collect() == []


def test_incident_kinds_fit_the_column_and_differ():
    kinds = {incident_kind(f"host{number}") for number in range(1000)}
    assert len(kinds) == 1000
    assert all(len(kind) <= 16 for kind in kinds)


@pytest.mark.parametrize(
    ("level", "expected"),
    [(None, Change.CLEARED), (300.0, Change.ESCALATED), (900.0, None), (3600.0, None), (0.0, Change.ESCALATED)],
)
def test_incident_change_compares_levels(level, expected):
    incident = NotifiedIncident(incident_kind("a"), START, 900.0, 900.0)
    change = incident_change(incident, "a", level, START + STEP)
    assert (change and change[0]) == expected
