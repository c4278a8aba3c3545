"""Outcome log: outcomes of predictions, and what a host's entries become."""

import numpy as np
import pytest

from model.features.hosts.sample_ring import SampleRing
from model.features.labels import future_labels
from model.forecast.fleet.outcome_log import LOG_SECONDS, LogEntry, OutcomeLog

pytestmark = pytest.mark.unit

HORIZONS = (300.0, 900.0)
STEP = 60.0
START = 1.7e9 // 300 * 300


def run(states, present):
    """Log a prediction of one host in each slot of five minutes, and return the log and all matured outcomes."""
    log = OutcomeLog(1, HORIZONS, STEP, 300.0, 1.25)
    ring = SampleRing(1, STEP, (3600.0,), 1.25, 900.0)
    matured = []
    for row, state in enumerate(states):
        time = START + STEP * row
        sample = round(time / STEP)
        ring.open_slot(sample)
        ring.append(np.array([0.5]), np.array([state]), np.array([STEP]), np.array([present[row]]))
        log.open_slot(time)
        matured += list(log.mature(sample, ring))
        if present[row] and log.lacking(np.array([0]))[0]:
            entry = LogEntry(
                hosts=np.array([0]),
                model=np.array([[0.1, 0.3]]),
                high=np.array([state == 1]),
                load_index=np.array([0.5]),
            )
            log.add(entry, sample)
    return log, matured


def test_outcomes_equal_the_labels_of_training():
    rng = np.random.default_rng(3)
    states = (rng.random(400) < 0.1).astype(float)
    log, matured = run(states, np.ones(400, bool))
    times = START + STEP * np.arange(400)
    expected = future_labels(times, states, HORIZONS, np.arange(0, 400, 5))
    history = log.matured(0)
    np.testing.assert_array_equal(history.times, times[::5])
    known = times[::5, None] + np.array(HORIZONS) <= times[-1]
    np.testing.assert_array_equal(history.outcomes[known], expected[known])
    assert np.isnan(history.outcomes[~known]).all()
    assert len(matured) == known.sum()


def test_outcome_is_unknown_across_a_gap_unless_high_load_occurs():
    states = np.zeros(40)
    states[31] = 1
    present = np.ones(40, bool)
    present[[7, 8, 27, 28]] = False
    log, _ = run(states, present)
    outcomes = log.matured(0).outcomes[:, 0]
    assert np.isnan(outcomes[[1, 5]]).all()
    assert outcomes[[0, 2, 6]].tolist() == [0, 0, 1]
    assert log.matured(0).outcomes[4, 1] == 1


def test_predictions_are_stored_to_the_resolution_of_the_log():
    log, _ = run(np.zeros(10), np.ones(10, bool))
    history = log.matured(0)
    np.testing.assert_allclose(history.probabilities[0], [0.1, 0.3], atol=0.01)
    np.testing.assert_allclose(history.load_index, 0.5, atol=0.003)
    log.forget_predictions(np.array([0]))
    assert np.isnan(log.matured(0).probabilities).all()
    log.clear(np.array([0]))
    assert len(log.matured(0).times) == 0


def test_old_entries_leave_the_log():
    log, _ = run(np.zeros(10), np.ones(10, bool))
    log.open_slot(START + LOG_SECONDS)
    assert log.matured(0).times.tolist() == [START + 300]


def test_replay_yields_the_outcomes_that_matured():
    rng = np.random.default_rng(4)
    log, matured = run((rng.random(300) < 0.2).astype(float), np.ones(300, bool))
    replayed = [item for slot in log.replay(np.array([0]), 60) for item in slot if len(item.hosts)]
    assert [float(item.outcomes[0]) for item in replayed if item.horizon == 0] == [
        float(item.outcomes[0]) for item in matured if item.horizon == 0
    ]
