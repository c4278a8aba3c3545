"""Verdicts and maintenance windows: their effect on events, thresholds and training."""

import time
from dataclasses import replace

import numpy as np
import pytest

from monitor.config.maintenance_windows import parse_windows
from monitor.config.schema import AnomalySection
from monitor.documents.anomalies import anomaly_count_document
from monitor.training.exclusions import excluded_from_training
from monitor.training.records import read_active_model
from monitor.training.train_detector import train_detector
from storage import MaintenanceWindow, Verdict

from .hosts import CONFIG, DAY, EVENT, HOUR, SLOT, TRAINING_END, Host, overload

pytestmark = pytest.mark.integration


def test_stored_maintenance_window_suppresses_events(stores):
    host = Host(stores)
    host.advance(HOUR)
    window = stores.anomalies.add_maintenance_window(MaintenanceWindow(host.now, host.now + HOUR, "disks"))
    assert host.advance(HOUR - 600.0, overload).in_maintenance
    assert stores.anomalies.count() == 0
    assert [listed.note for listed in stores.anomalies.maintenance_windows(host.now)] == ["disks"]
    stores.anomalies.end_maintenance_window(window, host.now)
    host.advance(HOUR / 3, overload)
    assert stores.anomalies.ongoing() is not None


def test_recurring_maintenance_window_suppresses_events_and_is_excluded_from_training(stores):
    start, end = (time.strftime("%H:%M", time.gmtime(TRAINING_END + hours * HOUR)) for hours in (1, 2))
    windows = parse_windows([f"daily {start}-{end}"])
    host = Host(stores, AnomalySection(maintenance=windows))
    host.advance(HOUR)
    assert host.advance(HOUR - 600.0, overload).in_maintenance
    host.advance(HOUR / 2)
    assert stores.anomalies.count() == 0
    times = np.array([host.now - 2 * HOUR, host.now - HOUR])
    assert excluded_from_training(stores, windows, times, host.now).tolist() == [False, True]


def test_incident_is_counted_and_excluded_from_the_next_training(stores):
    host = Host(stores)
    host.advance(HOUR)
    host.advance(HOUR / 2, overload)
    host.advance(2 * HOUR)
    (event,) = stores.anomalies.since(0.0)
    report = read_active_model(stores).report.detector
    samples = stores.samples.between(0.0, host.now)
    assert train_detector(stores, CONFIG, samples[:, 0], samples[:, 1:], host.now).report.kept
    stores.anomalies.set_verdict(event.id, Verdict.INCIDENT, "a leak", host.now)
    counts = anomaly_count_document(stores.anomalies.since(0.0), 2.0, 0.0, host.now)
    assert (counts.anomalies, counts.verdicts["incident"]) == (1, 1)
    retrained = train_detector(stores, CONFIG, samples[:, 0], samples[:, 1:], host.now).report
    assert not retrained.kept
    assert retrained.excluded_share > report.excluded_share == 0


def test_expected_event_is_normal_at_the_same_time_of_the_next_day(stores):
    host = Host(stores)
    host.advance(HOUR)
    host.advance(HOUR / 2, overload)
    host.advance(2 * HOUR)
    (event,) = stores.anomalies.since(0.0)
    stores.anomalies.set_verdict(event.id, Verdict.EXPECTED, None, host.now)
    host.advance(DAY - 2.5 * HOUR)
    host.advance(HOUR / 2, overload)
    host.advance(HOUR)
    assert stores.anomalies.count() == 1


def test_short_incident_is_excluded_with_the_half_hour_after_it(stores):
    host = Host(stores)
    host.advance(13 * HOUR)
    start = host.now
    event = stores.anomalies.add(replace(EVENT, started_at=start + 120.0, ended_at=start + 840.0))
    stores.anomalies.set_verdict(event, Verdict.INCIDENT, None, start)
    host.advance(HOUR)
    slot = int(start // SLOT)
    assert {slot, slot + 1} <= host.block_maxima._excluded
    assert slot + 2 not in host.block_maxima._excluded
