"""Replayed anomalies: detectors fitted on earlier samples, marks, live history."""

from dataclasses import replace

import numpy as np
import pytest

from monitor.config.loader import Config
from monitor.training.replay.anomalies import replay_anomalies
from monitor.training.replay.predictions import SampleHistory
from storage import MaintenanceWindow, Prediction
from tests.unit.monitor.jobs.anomaly_host import END, OVERLOAD, START, STEP, overloaded_samples

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def config():
    config = Config()
    return replace(config, anomaly=replace(config.anomaly, min_history=7 * 86400.0))


@pytest.fixture(scope="module")
def history():
    samples = overloaded_samples(START, END)
    return SampleHistory(samples[:, 0], samples[:, 1:])


def overloads(stores):
    """Return the replayed events during the hour of overload."""
    events = stores.anomalies.since(0.0)
    return [event for event in events if OVERLOAD - 3600 <= event.started_at < OVERLOAD + 3600]


def test_replay_stores_the_overload_once_with_a_mark(stores, config, history):
    for model_id in (7, 8):
        count = replay_anomalies(stores, config, history, model_id, since=0.0)
    (event,) = overloads(stores)
    assert (event.replayed, event.model_id, count) == (True, 8, len(stores.anomalies.since(0.0)))
    assert event.ended_at is not None
    assert (stores.anomalies.ongoing(), stores.anomalies.count()) == (None, 0)


def test_no_block_maxima_of_the_live_detector_are_stored(stores, config, history):
    replay_anomalies(stores, config, history, 7, since=0.0)
    assert stores.anomalies.peaks("", 0.0) == []


def test_replay_starts_after_the_history_that_a_detector_needs(stores, config, history):
    long = replace(config, anomaly=replace(config.anomaly, min_history=30 * 86400.0))
    assert replay_anomalies(stores, long, history, 7, since=0.0) == 0


def test_anomalies_next_to_live_predictions_are_left_to_the_live_detector(stores, config, history):
    times = np.arange(OVERLOAD - 7200, OVERLOAD + 7200, STEP)
    stores.predictions.append([Prediction(at, 300.0, 1, 0.5, 0.1, 0.9) for at in times.tolist()])
    replay_anomalies(stores, config, history, 7, since=0.0)
    assert overloads(stores) == []


def test_maintenance_windows_are_left_out(stores, config, history):
    stores.anomalies.add_maintenance_window(MaintenanceWindow(OVERLOAD - 600, OVERLOAD + 7200))
    replay_anomalies(stores, config, history, 7, since=0.0)
    assert overloads(stores) == []
