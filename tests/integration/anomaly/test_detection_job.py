"""Anomaly events from stored samples: start, restart, end, gaps and a busy database."""

import contextlib
import sqlite3
from dataclasses import replace

import pytest

from monitor.config.schema import AnomalySection
from monitor.documents.status import status_document
from monitor.exporter.collector import StateCollector
from monitor.queries.status import read_overview
from monitor.state import DaemonState
from monitor.stores import open_stores
from storage import StorageError

from .hosts import CONFIG, EVENT, HOUR, STEP, Host, overload, samples_between, unchanged

pytestmark = pytest.mark.integration


def test_job_scores_a_host_without_high_load(stores):
    host = Host(stores)
    state = host.advance(2 * HOUR)
    assert state.active is None
    assert 0 <= state.reading.score < 1
    assert set(state.metrics) >= {"cpu_usage", "network_receive"}
    status = status_document(read_overview(stores, CONFIG, host.now)).anomalies
    assert (status.detecting, status.active, status.last_30_days, status.allowed_in_30_days) == (True, None, 0, 2.0)


def test_job_starts_an_event_within_minutes(stores):
    host = Host(stores)
    host.advance(HOUR)
    start = host.now
    state = host.advance(HOUR / 2, overload, every=STEP)
    assert 0 <= state.active.started_at - start <= 3 * STEP
    assert next(iter(state.active.contributions)) == "cpu_usage"
    assert status_document(read_overview(stores, CONFIG, host.now)).anomalies.active.id == state.active.id


def test_event_is_exported(stores):
    host = Host(stores)
    host.advance(HOUR)
    state = host.advance(HOUR / 2, overload)
    page = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in StateCollector(lambda: DaemonState("1", "3", anomaly=state)).collect()
        for sample in metric.samples
    }
    assert page["monitor_anomaly_active",] == 1
    assert page["monitor_anomaly_events_total",] == 1
    assert page["monitor_anomaly_started_timestamp_seconds",] == state.active.started_at
    contributions = [value for key, value in page.items() if key[0] == "monitor_anomaly_contribution"]
    assert sum(contributions) == pytest.approx(1)
    ratios = [value for key, value in page.items() if key[0] == "monitor_anomaly_evidence_ratio"]
    assert max(ratios) >= 1


def test_residual_of_an_event_starts_no_other_after_a_restart(stores):
    host = Host(stores)
    host.advance(HOUR)
    host.advance(HOUR / 2, overload)
    host.advance(3 * HOUR)
    host.restart()
    host.advance(HOUR, every=STEP)
    (event,) = stores.anomalies.since(0.0)
    assert HOUR / 2 - 2 * STEP < event.ended_at - event.started_at < 2 * HOUR
    assert host.states[-1].active is None


def test_restart_continues_the_event(stores):
    host = Host(stores)
    host.advance(HOUR)
    host.advance(HOUR / 3, overload)
    event = stores.anomalies.ongoing()
    host.restart()
    host.advance(HOUR / 6, overload, every=STEP)
    assert stores.anomalies.ongoing().id == event.id
    host.advance(2 * HOUR)
    assert [record.id for record in stores.anomalies.since(0.0)] == [event.id]


def test_restart_ends_an_event_of_hours_ago(stores):
    host = Host(stores)
    host.advance(HOUR)
    host.advance(HOUR / 3, overload)
    assert stores.anomalies.ongoing() is not None
    host.now += 6 * HOUR
    host.restart()
    host.advance(HOUR / 6)
    assert stores.anomalies.ongoing() is None


def test_event_ends_if_detection_is_disabled(stores):
    host = Host(stores)
    host.advance(HOUR)
    host.advance(HOUR / 3, overload)
    assert stores.anomalies.ongoing() is not None
    host.restart(AnomalySection(enabled=False))
    assert host.advance(HOUR / 6) is None
    assert stores.anomalies.ongoing() is None


def test_event_ends_after_a_rollback_to_a_model_without_detector(stores):
    host = Host(stores)
    host.advance(HOUR)
    host.advance(HOUR / 3, overload)
    assert stores.anomalies.ongoing() is not None
    bootstrap_model = stores.registry.history()[-1].id
    stores.registry.rollback(bootstrap_model, host.now)
    assert host.advance(HOUR / 6) is None
    assert stores.anomalies.ongoing() is None


def test_gap_and_clock_set_back_start_no_event(stores):
    host = Host(stores)
    host.advance(HOUR)
    host.now += 5 * HOUR
    host.advance(2 * HOUR)
    host.now -= 3 * HOUR
    host.job.run()
    host.now += HOUR
    host.job.run()
    assert stores.anomalies.count() == 0
    assert host.states[-1] is not None


@contextlib.contextmanager
def locked(path):
    """Hold the write lock of the database."""
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        writer.rollback()
        writer.close()


@pytest.mark.parametrize("write", ["end of a stored event", "block maxima", "start of an event"])
def test_job_recovers_from_a_locked_database(database_path, write):
    with open_stores(f"sqlite:///{database_path}", busy_timeout=0.05) as stores:
        host = Host(stores)
        if write == "end of a stored event":
            stores.anomalies.add(replace(EVENT, started_at=host.now - 2 * HOUR))
        else:
            host.advance(13 * HOUR)
        change = overload if write == "start of an event" else unchanged
        samples = samples_between(host.now, host.now + HOUR, seed=1)
        change(samples)
        stores.samples.insert_missing(samples)
        host.now += HOUR
        published = len(host.states)
        with locked(database_path):
            for _ in range(2):
                with contextlib.suppress(StorageError):
                    host.job.run()
        assert len(host.states) == published
        state = host.advance(HOUR / 2, change, every=STEP)
        assert state.reading.at >= host.now - 2 * STEP
        assert (stores.anomalies.ongoing() is not None) == (write == "start of an event")
