"""Tests of the detector session."""

import numpy as np
import pytest

from model.anomaly.backtest import WARM_UP
from model.anomaly.block_maxima import SLOT_SECONDS
from model.anomaly.online_detector import OnlineDetector
from model.anomaly.serialization import loads_detector
from monitor.config.schema import AnomalySection
from monitor.jobs.detector_session import DetectorSession, LoadedDetector
from monitor.stores import open_stores
from monitor.training.train_detector import detector_key
from storage import MaintenanceWindow, Verdict

from .anomaly_host import METRICS, OVERLOAD, STEP, TRAINING_END, detector_blob, overloaded_samples, samples_between

pytestmark = pytest.mark.unit

CONFIG = AnomalySection()
HOUR = 3600.0


@pytest.fixture
def stores(anomaly_stores):
    return anomaly_stores


def new_session(stores, now, config=CONFIG):
    """Return a session after its warm-up."""
    detector = LoadedDetector(loads_detector(detector_blob()), detector_key(detector_blob()), 1)
    session = DetectorSession(stores, config, detector)
    session.warm_up(now)
    return session


def run_session(session, start, end, step):
    for now in np.arange(start + step, end + step, step):
        session.apply_verdicts(now)
        session.score_until(min(now, end))


@pytest.mark.parametrize("step", [1000.0, 6 * HOUR])
def test_session_scores_equal_the_replay_of_the_samples(stores, step):
    session = new_session(stores, TRAINING_END)
    run_session(session, TRAINING_END, OVERLOAD + 6 * HOUR, step)
    online = OnlineDetector([loads_detector(detector_blob())], CONFIG.false_alarms_per_month)
    past = samples_between(TRAINING_END - WARM_UP, TRAINING_END)
    online.replay(past[:, 0], past[:, None, 1:], may_start=False)
    samples = overloaded_samples(TRAINING_END, OVERLOAD + 6 * HOUR)
    expected = [step.reading.score for (step,) in online.replay(samples[:, 0], samples[:, None, 1:])]
    scores = session.state(OVERLOAD + 6 * HOUR).recent_scores
    live = scores.times >= TRAINING_END
    assert scores.times[live].tolist() == samples[:, 0].tolist()
    assert scores.scores[live].tolist() == expected


def test_session_records_an_event(stores):
    session = new_session(stores, TRAINING_END)
    run_session(session, TRAINING_END, OVERLOAD + HOUR / 2, 1000.0)
    state = session.state(OVERLOAD + HOUR / 2)
    assert 0 <= state.active.started_at - OVERLOAD <= 2 * STEP
    assert (state.metrics, state.events, state.unconfirmed) == (METRICS, 1, 1)
    run_session(session, OVERLOAD + HOUR / 2, OVERLOAD + 6 * HOUR, 1000.0)
    (record,) = stores.anomalies.since(0.0)
    assert HOUR / 2 <= record.ended_at - record.started_at <= 4 * HOUR


def test_session_resumes_the_stored_event(stores):
    run_session(new_session(stores, TRAINING_END), TRAINING_END, OVERLOAD + HOUR / 2, 1000.0)
    record = stores.anomalies.ongoing()
    session = new_session(stores, OVERLOAD + HOUR / 2)
    run_session(session, OVERLOAD + HOUR / 2, OVERLOAD + 6 * HOUR, 1000.0)
    (stored,) = stores.anomalies.since(0.0)
    assert (stored.id, stored.started_at) == (record.id, record.started_at)
    assert stored.ended_at is not None


def test_session_starts_no_event_in_its_warm_up(stores):
    new_session(stores, OVERLOAD + 18 * HOUR)
    assert stores.anomalies.count() == 0


def test_session_ends_an_event_that_ended_while_it_was_away(stores):
    run_session(new_session(stores, TRAINING_END), TRAINING_END, OVERLOAD + HOUR / 2, 1000.0)
    new_session(stores, OVERLOAD + 18 * HOUR)
    (record,) = stores.anomalies.since(0.0)
    assert HOUR / 2 <= record.ended_at - record.started_at <= 4 * HOUR


def test_session_ignores_maintenance(stores):
    stores.anomalies.add_maintenance_window(MaintenanceWindow(OVERLOAD - HOUR, OVERLOAD + 2 * HOUR, ""))
    session = new_session(stores, TRAINING_END)
    run_session(session, TRAINING_END, OVERLOAD + HOUR, 1000.0)
    state = session.state(OVERLOAD + HOUR)
    assert (state.in_maintenance, state.reading, state.events) == (True, None, 0)


def test_session_ends_an_event_without_samples():
    with open_stores("sqlite://") as short:
        short.samples.insert_missing(overloaded_samples(TRAINING_END - WARM_UP, OVERLOAD + HOUR / 2))
        session = new_session(short, TRAINING_END)
        run_session(session, TRAINING_END, OVERLOAD + HOUR / 2, 1000.0)
        session.score_until(OVERLOAD + 2 * HOUR)
        (record,) = short.anomalies.since(0.0)
        assert record.ended_at == OVERLOAD + HOUR / 2


def test_session_stores_and_restores_block_maxima(stores):
    session = new_session(stores, TRAINING_END)
    run_session(session, TRAINING_END, TRAINING_END + 6 * HOUR, 1000.0)
    key = detector_key(detector_blob())
    stored = stores.anomalies.peaks(key, TRAINING_END)
    # Twelve half hours of three score parts, the last half hour is not over.
    assert len(stored) == 11 * 3
    stores.anomalies.replace_peaks(TRAINING_END, key, {"joint": 99.0, "spike": 98.0, "overall": 97.0})
    restarted = new_session(stores, TRAINING_END + 6 * HOUR)
    maxima = restarted._online.thresholds(0).block_maxima
    assert maxima.get(int(TRAINING_END // SLOT_SECONDS)).tolist() == [99.0, 98.0, 97.0]


def test_session_excludes_incidents_from_the_thresholds(stores):
    session = new_session(stores, TRAINING_END)
    run_session(session, TRAINING_END, OVERLOAD + 6 * HOUR, 1000.0)
    (record,) = stores.anomalies.since(0.0)
    stores.anomalies.set_verdict(record.id, Verdict.INCIDENT, None, OVERLOAD + 6 * HOUR)
    session.apply_verdicts(OVERLOAD + 6 * HOUR)
    excluded = session._online.thresholds(0).block_maxima._excluded
    first = int(record.started_at // SLOT_SECONDS)
    last = int((record.ended_at - 1) // SLOT_SECONDS)
    # The averages contain the event for another half hour.
    assert excluded == frozenset(range(first, last + 2))
    assert session.state(OVERLOAD + 6 * HOUR).unconfirmed == 0


def test_session_reads_no_years_after_the_clock_jumped_ahead(stores, monkeypatch):
    session = new_session(stores, TRAINING_END)
    ranges = []
    between = type(stores.samples).between

    def count(repository, start, end, fields):
        ranges.append(end - start)
        return between(repository, start, end, fields)

    monkeypatch.setattr(type(stores.samples), "between", count)
    session.score_until(TRAINING_END + 10 * 365 * 86_400)
    assert sum(ranges) == pytest.approx(WARM_UP, abs=STEP)
