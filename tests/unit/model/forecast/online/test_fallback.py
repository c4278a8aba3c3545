"""Fallback rule: a baseline serves if it was better than the model by more than chance, on known outcomes only."""

from dataclasses import replace

import numpy as np
import pytest

from model.forecast.baselines import CURRENT_VALUE, HOLT_WINTERS
from model.forecast.log_odds import sigmoid
from model.forecast.online.decision_table import DecisionTable
from model.forecast.online.decisions import MODEL, fallback_active
from model.forecast.online.fallback import decide_fallbacks
from model.forecast.online.prediction_log import MaturedPredictions
from model.forecast.smoothing import SMOOTHINGS, SeasonalSmoother
from model.units import DAY

pytestmark = pytest.mark.unit

STEP = 300.0
HORIZONS = (900.0,)


def matured_predictions(predict, days=12, seed=0):
    """Outcomes that depend on the load alone; the model predicts `predict` of their true probability."""
    rng = np.random.default_rng(seed)
    times = np.arange(0, days * DAY, STEP)
    index = 0.5 + 0.3 * np.sin(times / 3000.0) + rng.normal(0, 0.05, len(times))
    p = sigmoid(12 * (index - 0.7))
    y = (rng.random(len(times)) < p).astype(float)
    return MaturedPredictions(
        times=times,
        probabilities=predict(p)[:, None],
        outcomes=y[:, None],
        high=np.zeros(len(times), bool),
        load_index=index,
        forecasts=np.empty((0, len(times), 1)),
    )


def random_predictions(p):
    return np.random.default_rng(1).random(len(p))


def decide(matured, now=12 * DAY):
    return decide_fallbacks(matured, HORIZONS, now)[0]


def test_informed_model_serves():
    decision = decide(matured_predictions(lambda p: p))
    assert (decision.serving(high=False).predictor, decision.serving(high=True).predictor) == (MODEL, MODEL)
    assert not fallback_active((decision,))


def test_uninformed_model_is_replaced_in_the_state_with_outcomes():
    decision = decide(matured_predictions(random_predictions))
    assert (decision.serving(high=False).predictor, decision.serving(high=True).predictor) == (CURRENT_VALUE, MODEL)
    assert fallback_active((decision,))
    assert (decision.slope(high=False), decision.slope(high=True)) == (0.0, 1.0)


def test_overconfident_model_is_recalibrated_instead_of_replaced():
    decision = decide(matured_predictions(lambda p: sigmoid(3 * np.log(p / (1 - p)))))
    assert decision.serving(high=False).predictor == MODEL
    assert decision.recalibration.calm.slope == pytest.approx(0.4, abs=0.1)


def test_few_hours_of_predictions_do_not_replace_a_model():
    matured = matured_predictions(random_predictions)
    recent = matured.times[:, None] > 11.7 * DAY
    young = replace(matured, probabilities=np.where(recent, matured.probabilities, np.nan))
    assert decide(young).serving(high=False).predictor == MODEL


def test_outcomes_that_are_not_known_yet_change_nothing():
    matured = matured_predictions(random_predictions)
    late = matured.times + HORIZONS[0] >= 9 * DAY
    turned = replace(matured, outcomes=np.where(late[:, None], 1 - matured.outcomes, matured.outcomes))
    before = decide(matured, now=9 * DAY)
    after = decide(turned, now=9 * DAY)
    assert before.recalibration == after.recalibration
    assert np.array_equal(before.calm.table.values, after.calm.table.values)


def test_holt_winters_serves_for_a_daily_season_that_the_model_does_not_know():
    rng = np.random.default_rng(0)
    times = np.arange(0, 12 * DAY, STEP)
    hour = times % DAY / 3600
    index = 0.3 + 0.8 * ((hour > 9.5) & (hour < 10.5)) + rng.normal(0, 0.02, len(times))
    ahead = np.append(np.lib.stride_tricks.sliding_window_view(index, 3).max(axis=1)[1:] >= 1, [False] * 3)
    y = ahead.astype(float)
    smoother = SeasonalSmoother(STEP, HORIZONS)
    smoother.extend(times, index)
    matured = MaturedPredictions(
        times=times,
        probabilities=np.full((len(times), 1), y.mean()),
        outcomes=y[:, None],
        high=np.zeros(len(times), bool),
        load_index=index,
        forecasts=smoother.forecasts(np.arange(len(times))),
    )
    decision = decide(matured)
    assert decision.serving(high=False).predictor == HOLT_WINTERS
    assert decision.calm.smoothing in range(len(SMOOTHINGS))
    table = DecisionTable([[decision]], (0.5,))
    published = table.apply(
        matured.probabilities[None], matured.high[None], index[None], lambda: matured.forecasts[None]
    )[0, :, 0]
    last = times > 10 * DAY
    assert np.mean(np.square(published[last] - y[last])) < 0.3 * np.mean(np.square(y.mean() - y[last]))
