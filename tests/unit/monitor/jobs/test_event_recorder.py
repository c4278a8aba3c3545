"""Tests of the event recorder."""

from dataclasses import replace

import pytest

from model.anomaly.events import AnomalyEvent, EventChange, EventTransition
from monitor.jobs.event_recorder import EventRecorder, resumed_event
from monitor.stores import open_stores

pytestmark = pytest.mark.unit

EVENT = AnomalyEvent(
    started_at=1000.0,
    ended_at=1060.0,
    channel="joint",
    peak=0.9,
    peak_at=1000.0,
    threshold_ratio=1.2,
    contributions={"cpu_usage": 0.75, "disk_busy": 0.25},
)


@pytest.fixture
def stores():
    with open_stores("sqlite://") as opened:
        yield opened


def apply(recorder, change, event):
    recorder.apply(EventTransition(change, event))


def test_recorder_stores_a_started_event(stores):
    recorder = EventRecorder(stores, 7, None)
    apply(recorder, EventChange.STARTED, EVENT)
    record = stores.anomalies.ongoing()
    assert record == recorder.ongoing
    assert (record.started_at, record.ended_at, record.channel, record.model_id) == (1000.0, None, "joint", 7)
    assert record.contributions == EVENT.contributions


def test_recorder_updates_the_peak(stores):
    recorder = EventRecorder(stores, 7, None)
    apply(recorder, EventChange.STARTED, EVENT)
    apply(recorder, EventChange.UPDATED, replace(EVENT, peak=0.99, peak_at=1120.0, contributions={"cpu_usage": 1.0}))
    record = stores.anomalies.ongoing()
    assert (record.peak, record.peak_at, record.contributions) == (0.99, 1120.0, {"cpu_usage": 1.0})


def test_recorder_stores_the_end(stores):
    recorder = EventRecorder(stores, 7, None)
    apply(recorder, EventChange.STARTED, EVENT)
    apply(recorder, EventChange.ENDED, replace(EVENT, ended_at=1300.0))
    assert recorder.ongoing is None
    (record,) = stores.anomalies.since(0.0)
    assert record.ended_at == 1300.0


def test_recorder_does_not_end_an_event_before_its_start(stores):
    recorder = EventRecorder(stores, 7, None)
    apply(recorder, EventChange.STARTED, EVENT)
    recorder.end(500.0)
    assert stores.anomalies.since(0.0)[0].ended_at == 1000.0


@pytest.mark.parametrize("change", [EventChange.UPDATED, EventChange.ENDED])
def test_recorder_ignores_changes_without_an_event(stores, change):
    apply(EventRecorder(stores, 7, None), change, EVENT)
    assert stores.anomalies.count() == 0


def test_resumed_event_is_observed_from_the_given_time_on(stores):
    recorder = EventRecorder(stores, 7, None)
    apply(recorder, EventChange.STARTED, EVENT)
    event = resumed_event(recorder.ongoing, 5000.0)
    assert event == replace(EVENT, ended_at=5000.0, threshold_ratio=1.0)
    assert resumed_event(recorder.ongoing, 0.0).ended_at == EVENT.started_at
