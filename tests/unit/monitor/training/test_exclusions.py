"""Tests of incidents, expected events and maintenance windows as operator input."""

import numpy as np
import pytest

from monitor.config.maintenance_windows import parse_windows
from monitor.stores import open_stores
from monitor.training.exclusions import excluded_from_training, expected_slots, in_maintenance
from storage import AnomalyRecord, MaintenanceWindow, Verdict

pytestmark = pytest.mark.unit

DAY = 86400.0
MIDNIGHT = 1.7e9 - 1.7e9 % DAY
WINDOW = MaintenanceWindow(1000.0, 2000.0, "")


def event(start, end, verdict=None):
    return AnomalyRecord(
        started_at=start,
        ended_at=end,
        peak=0.9,
        peak_at=start,
        channel="joint",
        contributions={"cpu_usage": 1.0},
        model_id=1,
        verdict=verdict,
    )


@pytest.fixture
def stores():
    with open_stores("sqlite://") as opened:
        yield opened


@pytest.mark.parametrize(("at", "expected"), [(999.0, False), (1000.0, True), (1999.0, True), (2000.0, False)])
def test_in_maintenance_within_a_stored_window(at, expected):
    assert in_maintenance(at, [WINDOW], ()) is expected


def test_in_maintenance_within_a_recurring_window():
    recurring = parse_windows(["daily 03:00-04:00"])
    assert in_maintenance(MIDNIGHT + 3.5 * 3600, [], recurring)
    assert not in_maintenance(MIDNIGHT + 4.5 * 3600, [], recurring)


def test_training_excludes_incidents_and_stored_windows(stores):
    for start, end, verdict in ((100.0, 200.0, Verdict.INCIDENT), (300.0, 400.0, Verdict.EXPECTED)):
        anomaly_id = stores.anomalies.add(event(start, end))
        stores.anomalies.set_verdict(anomaly_id, verdict, None, 500.0)
    stores.anomalies.add_maintenance_window(WINDOW)
    times = np.array([50.0, 100.0, 199.0, 200.0, 350.0, 999.0, 1000.0, 2000.0])
    excluded = excluded_from_training(stores, (), times, now=3000.0)
    assert times[excluded].tolist() == [100.0, 199.0, 1000.0]


def test_training_excludes_an_incident_in_progress_up_to_now(stores):
    anomaly_id = stores.anomalies.add(event(100.0, None))
    stores.anomalies.set_verdict(anomaly_id, Verdict.INCIDENT, None, 150.0)
    times = np.array([50.0, 150.0, 250.0])
    assert excluded_from_training(stores, (), times, now=200.0).tolist() == [False, True, False]


def test_training_excludes_recurring_windows(stores):
    times = MIDNIGHT + 3600.0 * np.arange(48)
    excluded = excluded_from_training(stores, parse_windows(["daily 03:00-05:00"]), times, now=times[-1])
    assert np.flatnonzero(excluded).tolist() == [3, 4, 27, 28]


def test_training_excludes_nothing_without_samples(stores):
    assert excluded_from_training(stores, (), np.empty(0), now=0.0).tolist() == []


def test_expected_slots_cover_expected_events_only():
    events = [event(0.0, 250.0, Verdict.EXPECTED), event(500.0, 600.0, Verdict.INCIDENT), event(700.0, 800.0)]
    assert expected_slots(events, 100.0, now=1000.0) == [0, 1, 2]


def test_expected_slots_of_an_event_in_progress_end_now():
    assert expected_slots([event(700.0, None, Verdict.EXPECTED)], 100.0, now=1000.0) == [7, 8, 9, 10]
