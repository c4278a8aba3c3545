"""A baseline serves where it was better than the model by more than chance, and only on what was known."""

from dataclasses import replace

import numpy as np
import pytest
from model.forecast.fallback import (
    FallbackBaseline,
    FallbackDecision,
    MaturedPredictions,
    apply_decisions,
    decide_fallbacks,
    fallback_active,
    release_threshold,
    warning_states,
    warning_thresholds,
)
from model.forecast.recalibration import Recalibration

from model.forecast.baselines import SMOOTHING, binned, holt_winters, seasonal_forecasts
from model.forecast.blend import fit_load_table
from model.forecast.calibration import Calibration
from model.nn.numerics import sigmoid
from model.units import DAY

pytestmark = pytest.mark.unit

STEP, H = 300.0, (900.0,)


def past(said, days=12, seed=0, wave=1.0):
    """The load decides alone; the model says what `said` makes of it."""
    rng = np.random.default_rng(seed)
    times = np.arange(0, days * DAY, STEP)
    index = 0.5 + 0.3 * np.sin(times / 3000.0) * wave + rng.normal(0, 0.05, len(times))
    p = sigmoid(12 * (index - 0.7))
    y = (rng.random(len(times)) < p).astype(float)
    return MaturedPredictions(times, said(p)[:, None], y[:, None], np.zeros(len(times), bool), index, {})


def of(found, precision=0.8, threshold=0.5, now=12 * DAY):
    return decide_fallbacks(found, H, now, (threshold,), precision)[0]


def test_a_model_that_knows_serves():
    found = of(past(lambda p: p))
    assert (found.serving(high=False), found.serving(high=True)) == ("model", "model")
    assert not fallback_active((found,))


def test_a_model_that_knows_nothing_any_more_is_replaced_while_load_is_calm():
    found = of(past(lambda p: np.random.default_rng(1).random(len(p))))
    assert (found.serving(high=False), found.serving(high=True)) == ("current value", "model")
    assert fallback_active((found,))
    assert (found.slope(high=False), found.slope(high=True)) == (0.0, 1.0)


def test_a_model_said_too_loudly_is_set_right_and_not_replaced():
    loud = past(lambda p: sigmoid(3 * np.log(p / (1 - p))))
    found = of(loud)
    assert found.serving(high=False) == "model"
    assert found.right.calm.slope == pytest.approx(0.4, abs=0.1)


def test_a_few_hours_are_not_enough_to_replace_it():
    found = past(lambda p: np.random.default_rng(1).random(len(p)))
    young = replace(found, said=np.where(found.times[:, None] > 11.7 * DAY, found.said, np.nan))
    assert of(young).serving(high=False) == "model"


def test_what_is_not_known_yet_changes_nothing():
    found = past(lambda p: np.random.default_rng(1).random(len(p)))
    late = found.times + H[0] >= 9 * DAY
    turned = replace(found, labels=np.where(late[:, None], 1 - found.labels, found.labels))
    before, after = of(found, now=9 * DAY), of(turned, now=9 * DAY)
    assert before.right == after.right
    assert np.array_equal(before.calm.load_table.values, after.calm.load_table.values)
    assert before.threshold == after.threshold


def test_a_season_that_the_model_does_not_know_lets_holt_winters_serve():
    rng = np.random.default_rng(0)
    times = np.arange(0, 12 * DAY, STEP)
    hour = times % DAY / 3600
    index = 0.3 + 0.8 * ((hour > 9.5) & (hour < 10.5)) + rng.normal(0, 0.02, len(times))
    ahead = np.append(np.lib.stride_tricks.sliding_window_view(index, 3).max(axis=1)[1:] >= 1, [False] * 3)
    means, bins = binned(times, index, 300.0)
    forecasts = {s: seasonal_forecasts(means, bins, index, 300.0, H, s) for s in SMOOTHING}
    y = ahead.astype(float)
    found = MaturedPredictions(
        times, np.full((len(times), 1), y.mean()), y[:, None], np.zeros(len(times), bool), index, forecasts
    )
    standing = of(found)
    assert standing.serving(high=False) == "Holt-Winters"
    said = apply_decisions((standing,), found.said, found.high, index, lambda s: forecasts[s])[:, 0]
    last = times > 10 * DAY
    assert np.mean(np.square(said[last] - y[last])) < 0.3 * np.mean(np.square(y.mean() - y[last]))


def test_forecasts_of_the_live_road_are_holt_winters_where_a_bin_is_a_sample():
    rng = np.random.default_rng(0)
    times = np.arange(0, 4 * DAY, STEP)
    values = rng.random(len(times))
    means, bins = binned(times, values, STEP)
    for smoothing in SMOOTHING[:2]:
        live = seasonal_forecasts(means, bins, values, STEP, (900.0, 3600.0), smoothing)
        assert live[1:] == pytest.approx(holt_winters(times, values, (900.0, 3600.0), *smoothing)[1:])


def test_a_threshold_follows_what_came_but_not_far():
    loud = past(lambda p: sigmoid(np.log(p / (1 - p)) + 1))
    wanted = of(loud, precision=0.8, threshold=0.8)
    said = wanted.right(loud.said[:, 0], loud.high)
    warned = said >= wanted.threshold
    assert loud.labels[warned, 0].mean() == pytest.approx(0.8, abs=0.05)
    start = float(wanted.right(np.array([0.9]), np.zeros(1, bool))[0])
    far = of(loud, precision=0.3, threshold=0.9).threshold
    assert far > sigmoid(np.log(start / (1 - start)) - 1.01)


def test_without_enough_warnings_the_same_moments_are_warned_of_in_other_numbers():
    right = Recalibration(Calibration(0.5, -0.5), Calibration(2.0, 0.0))
    found = warning_thresholds(
        (FallbackDecision(right), FallbackDecision(right)), (0.7, 1.0), np.array([False, True])
    )
    assert found[:, 0] == pytest.approx(right(np.array([0.7, 0.7]), np.array([False, True])))
    assert np.isinf(found[:, 1]).all()


def test_a_further_horizon_is_never_below_a_nearer_one_whoever_serves():
    table = fit_load_table(np.linspace(0, 1, 100), (np.linspace(0, 1, 100) > 0.5).astype(float))
    by = (FallbackDecision(calm=FallbackBaseline("current value", table)), FallbackDecision())
    said = apply_decisions(
        by, np.full((3, 2), 0.4), np.zeros(3, bool), np.array([0.1, 0.5, 0.9]), lambda _: np.zeros((3, 2))
    )
    assert (np.diff(said, axis=1) >= 0).all()
    assert said[2, 0] > 0.9


def test_a_warning_ends_only_clearly_below_its_threshold():
    p = np.array([0.5, 0.8, 0.75, 0.72, 0.8, 0.6, 0.75, np.nan, 0.75])[:, None]
    found = warning_states(p, np.full((9, 1), 0.8), np.zeros(1, bool))[:, 0]
    assert found.tolist() == [False, True, True, True, True, False, False, False, False]
    assert warning_states(p[2:4], np.full((2, 1), 0.8), np.ones(1, bool)).all()
    assert not warning_states(np.ones((2, 1)), np.full((2, 1), np.inf), np.ones(1, bool)).any()
    assert release_threshold(0.8) == pytest.approx(0.708, abs=1e-3)
    assert release_threshold(1.0) == 1.0
