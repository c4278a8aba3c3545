"""Prediction log: entries per evaluation step, with outcomes settled in time."""

import numpy as np
import pytest

from model.features.labels import future_labels
from model.forecast.online.prediction_log import EVALUATION_STEP, LogEntries, PredictionLog
from model.forecast.online.recalibration import MAX_AGE
from model.forecast.smoothing import SMOOTHINGS
from model.units import DAY

pytestmark = pytest.mark.unit

HORIZONS = (600.0, 3600.0)
STEP = 60.0


def make_states(rows=4000, seed=0):
    rng = np.random.default_rng(seed)
    times = STEP * np.arange(rows) + rng.uniform(0, 5, rows)
    times[rows // 2 :] += 5000.0
    states = (np.sin(times / 4000.0) > 0.6).astype(float)
    states[rng.random(rows) < 0.01] = np.nan
    return times, states


def fill(log, times, states, size, after=-np.inf):
    for start in range(0, len(times), size):
        part = slice(start, start + size)
        rows = log.rows_to_log(times[part], after)
        probabilities = np.repeat(times[part][rows, None], len(HORIZONS), axis=1)
        forecasts = np.broadcast_to(times[part][rows, None], (len(SMOOTHINGS), len(rows), len(HORIZONS)))
        log.add(times[part], states[part], LogEntries(rows, probabilities, times[part][rows], forecasts))


@pytest.mark.parametrize("size", [1, 7, 4000])
def test_outcomes_equal_the_labels_of_the_complete_history(size):
    times, states = make_states()
    log = PredictionLog(HORIZONS)
    fill(log, times, states, size)
    matured = log.matured(times[-1] + 1, HORIZONS)
    rows = np.searchsorted(times, matured.times)
    labels = future_labels(times, states, HORIZONS, rows)
    assert np.array_equal(matured.outcomes, labels, equal_nan=True)
    assert np.array_equal(matured.high, states[rows] == 1)
    assert np.array_equal(matured.load_index, matured.times)
    assert np.array_equal(matured.forecasts[3, :, 1], matured.times)


def test_outcome_is_unknown_until_its_horizon_has_passed():
    times, states = make_states()
    log = PredictionLog(HORIZONS)
    end = 1000
    fill(log, times[:end], states[:end], 50)
    matured = log.matured(times[end - 1], HORIZONS)
    complete = future_labels(times, states, HORIZONS, np.searchsorted(times, matured.times))
    for column, horizon in enumerate(HORIZONS):
        mature = matured.times + horizon <= times[end - 1]
        outcomes = matured.outcomes[:, column]
        assert np.array_equal(outcomes[mature], complete[mature, column], equal_nan=True)
        assert not (outcomes[~mature] == 0).any()


def test_log_has_the_first_sample_of_each_evaluation_step():
    times, states = make_states()
    log = PredictionLog(HORIZONS)
    fill(log, times, states, 13, after=times[100])
    logged = log.matured(times[-1] + 1, HORIZONS).times
    assert (logged > times[100]).all()
    assert (np.diff(logged // EVALUATION_STEP) > 0).all()
    assert len(logged) == len(np.unique(times[101:] // EVALUATION_STEP)) - (
        times[100] // EVALUATION_STEP == times[101] // EVALUATION_STEP
    )


def test_forgotten_predictions_leave_the_outcomes():
    times, states = make_states()
    log = PredictionLog(HORIZONS)
    fill(log, times, states, 100)
    before = log.matured(times[-1], HORIZONS)
    log.forget_predictions()
    after = log.matured(times[-1], HORIZONS)
    assert np.isnan(after.probabilities).all()
    assert np.array_equal(before.outcomes, after.outcomes, equal_nan=True)


def test_matured_selects_horizons_and_drops_old_entries():
    times = EVALUATION_STEP * np.arange(int((MAX_AGE + 20 * DAY) / EVALUATION_STEP))
    log = PredictionLog(HORIZONS)
    fill(log, times, np.zeros(len(times)), 5000)
    matured = log.matured(times[-1], HORIZONS[1:])
    assert matured.outcomes.shape[1] == matured.probabilities.shape[1] == matured.forecasts.shape[2] == 1
    assert matured.times[0] > times[-1] - MAX_AGE
    assert len(matured.times) == pytest.approx(MAX_AGE / EVALUATION_STEP, abs=2)
