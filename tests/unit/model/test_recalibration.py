"""What is said is set right by what followed, and by nothing that is not known yet."""

import numpy as np
import pytest
from model.forecast.recalibration import HALF_LIFE, MEMORY, Recalibration, calibration, restlessness
from model.forecast.recalibration import fit_recalibrations as recalibrations_at
from model.forecast.recalibration import recalibrated as recalibrated_at

from model.forecast.calibration import Calibration
from model.forecast.metrics import calibration_error
from model.nn.numerics import logit, sigmoid
from model.units import DAY

pytestmark = pytest.mark.unit


def fit_recalibrations(times, p, y, horizons, now):
    """While load is not high."""
    found = recalibrations_at(times, p, y, np.zeros(len(times), bool), horizons, now)
    assert all(one.high == Calibration() for one in found)
    return tuple(one.calm for one in found)


def recalibrated(p, right):
    return recalibrated_at(p, np.zeros(len(p), bool), [Recalibration(calm=one) for one in right])


def overconfident(days=20.0, seed=0, turn=2.5):
    """Predictions whose log-odds are `turn` times what they should be, ten minutes apart."""
    rng = np.random.default_rng(seed)
    times = np.arange(0.0, days * DAY, 600.0)
    z = rng.normal(-1.5, 1.2, len(times))
    return times, sigmoid(turn * z)[:, None], (rng.random(len(times)) < sigmoid(z)).astype(float)[:, None]


def test_overconfidence_is_mended_on_what_comes():
    times, p, y = overconfident()
    then = times < 15 * DAY
    right = fit_recalibrations(times[then], p[then], y[then], (600.0,), 15 * DAY)
    after = recalibrated(p[~then], right)
    # held back toward 1 by the weight of ten days
    assert 1 / 2.5 < right[0].slope < 0.52
    assert calibration_error(y[~then, 0], after[:, 0]) < 0.5 * calibration_error(y[~then, 0], p[~then, 0])


def test_an_outcome_counts_only_once_its_horizon_has_passed():
    times, p, y = overconfident(days=2)
    now, horizon = DAY, 3 * 3600.0
    changed = y.copy()
    changed[times + horizon >= now] = 1
    assert fit_recalibrations(times, p, changed, (horizon,), now) == fit_recalibrations(times, p, y, (horizon,), now)


def test_late_outcomes_count_more_and_old_ones_for_nothing():
    times, p, y = overconfident(days=30)
    late = times > 28 * DAY
    turned = np.where(late[:, None], 1 - y, y)
    before, after = (fit_recalibrations(times, p, labels, (600.0,), 30 * DAY)[0] for labels in (y, turned))
    evenly = fit_recalibrations(times - MEMORY + HALF_LIFE, p, turned, (600.0,), 30 * DAY + HALF_LIFE)[0]
    assert after.slope < before.slope
    assert evenly != after
    ancient = fit_recalibrations(times, p, y, (600.0,), 30 * DAY + MEMORY)
    assert ancient == (Calibration(),)


def test_nothing_known_changes_nothing():
    nothing = np.empty((0, 2))
    assert fit_recalibrations(np.empty(0), nothing, nothing, (60.0, 300.0), 0.0) == (Calibration(), Calibration())
    p = np.array([[0.2, 0.3], [np.nan, 0.5], [0.4, np.nan], [1e-9, 1.0]])
    assert np.array_equal(recalibrated(p, (Calibration(), Calibration())), p, equal_nan=True)


def test_a_further_horizon_is_never_below_a_nearer_one():
    right = (Calibration(1.0, 2.0), Calibration(1.0, -2.0))
    p = recalibrated(np.array([[0.3, 0.4]]), right)
    assert p[0, 1] >= p[0, 0] == pytest.approx(sigmoid(logit(np.array([0.3])) + 2)[0])


def test_calm_and_high_moments_are_set_right_apart():
    times, p, y = overconfident()
    high = np.arange(len(times)) % 4 == 0
    y[high] = 1
    apart = recalibrations_at(times, p, y, high, (600.0,), 20 * DAY)[0]
    assert apart.high.intercept > 0.3
    assert abs(apart.calm.intercept) < 0.5
    said = recalibrated_at(p, high, (apart,))
    assert said[high].mean() > 0.5 > 1.7 * p[high].mean()
    assert said[~high].mean() == pytest.approx(y[~high].mean(), abs=0.03)


def days_of(rates, seed=0, horizon=3600.0):
    """Outcomes every five minutes, of which each hour's are one, with a rate for each day."""
    rng = np.random.default_rng(seed)
    hours = np.repeat(rng.random(24 * len(rates)) < np.repeat(rates, 24), 12)
    return np.arange(len(hours)) * 300.0, hours.astype(float), horizon


def test_days_that_differ_by_chance_alone_are_not_restless_and_others_are():
    alike = [restlessness(*days_of([0.2] * 21, seed), 300.0) for seed in range(20)]
    differing = [restlessness(*days_of([0.02, 0.05, 0.6] * 7, seed), 300.0) for seed in range(20)]
    assert np.median(alike) < 0.15
    assert np.median(differing) > 1.5
    assert restlessness(*days_of([0.2, 0.9, 0.2], 1), 300.0) == 0.0
    assert restlessness(*days_of([0.0] * 21), 300.0) == 0.0
    times, y, horizon = days_of([0.2] * 21)
    assert restlessness(times, np.full(len(y), np.nan), horizon, 300.0) == 0.0


def test_a_restless_host_s_level_is_followed_within_a_day_and_a_quiet_one_s_is_not():
    times, y, horizon = days_of([0.1] * 20 + [0.7] * 2)
    p, high = np.full((len(y), 1), 0.1), np.zeros(len(y), bool)
    now = times[-1] + horizon + 1

    def said(past):
        right = recalibrations_at(times[past:], p[past:], y[past:, None], high[past:], (horizon,), now)[0]
        return float(right(np.array([0.1]), np.zeros(1, bool))[0])

    restless = calibration((times, p[:, 0], y), horizon, now, 300.0, 2.0)
    quiet = calibration((times, p[:, 0], y), horizon, now, 300.0, 0.0)
    assert sigmoid(restless(logit(np.array([0.1]))))[0] > 0.35
    assert sigmoid(quiet(logit(np.array([0.1]))))[0] < 0.25
    assert said(0) > sigmoid(quiet(logit(np.array([0.1]))))[0]
