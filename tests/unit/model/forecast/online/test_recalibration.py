"""Recalibration on matured outcomes."""

import numpy as np
import pytest

from model.forecast.calibration import Calibration
from model.forecast.log_odds import sigmoid
from model.forecast.metrics import calibration_error
from model.forecast.online.recalibration import (
    HALF_LIFE,
    MAX_AGE,
    Recalibration,
    fit_recalibrations,
)
from model.units import DAY

pytestmark = pytest.mark.unit


def fit_calm(times, p, y, horizons, now):
    """Fit while load is never high."""
    recalibrations = fit_recalibrations(times, p, y, np.zeros(len(times), bool), horizons, now)
    assert all(recalibration.high == Calibration() for recalibration in recalibrations)
    return tuple(recalibration.calm for recalibration in recalibrations)


def apply_calm(p, calibration):
    return Recalibration(calm=calibration)(p, np.zeros(len(p), bool))


def overconfident(days=20.0, seed=0, factor=2.5):
    """Predictions every ten minutes whose log-odds are too large by a factor."""
    rng = np.random.default_rng(seed)
    times = np.arange(0.0, days * DAY, 600.0)
    z = rng.normal(-1.5, 1.2, len(times))
    return times, sigmoid(factor * z)[:, None], (rng.random(len(times)) < sigmoid(z)).astype(float)[:, None]


def test_overconfidence_is_reduced_on_later_predictions():
    times, p, y = overconfident()
    past = times < 15 * DAY
    calibration = fit_calm(times[past], p[past], y[past], (600.0,), 15 * DAY)[0]
    after = apply_calm(p[~past, 0], calibration)
    # The prior keeps the slope above its maximum-likelihood value.
    assert 1 / 2.5 < calibration.slope < 0.52
    assert calibration_error(y[~past, 0], after) < 0.5 * calibration_error(y[~past, 0], p[~past, 0])


def test_outcome_counts_once_its_horizon_has_passed():
    times, p, y = overconfident(days=2)
    horizon = 3 * 3600.0
    changed = y.copy()
    changed[times + horizon >= DAY] = 1
    assert fit_calm(times, p, changed, (horizon,), DAY) == fit_calm(times, p, y, (horizon,), DAY)


def test_recent_outcomes_weigh_more_and_old_outcomes_nothing():
    times, p, y = overconfident(days=30)
    turned = np.where(times[:, None] > 28 * DAY, 1 - y, y)
    before, after = (fit_calm(times, p, labels, (600.0,), 30 * DAY)[0] for labels in (y, turned))
    aged = fit_calm(times - MAX_AGE + HALF_LIFE, p, turned, (600.0,), 30 * DAY + HALF_LIFE)[0]
    assert after.slope < before.slope
    assert aged != after
    assert fit_calm(times, p, y, (600.0,), 30 * DAY + MAX_AGE) == (Calibration(),)


def test_no_outcome_leaves_the_identity():
    nothing = np.empty((0, 2))
    assert fit_calm(np.empty(0), nothing, nothing, (60.0, 300.0), 0.0) == (Calibration(), Calibration())
    p = np.array([0.2, np.nan, 0.4, 1e-9, 1.0])
    assert np.array_equal(apply_calm(p, Calibration()), p, equal_nan=True)


def test_calm_and_high_load_are_recalibrated_separately():
    times, p, y = overconfident()
    high = np.arange(len(times)) % 4 == 0
    y[high] = 1
    recalibration = fit_recalibrations(times, p, y, high, (600.0,), 20 * DAY)[0]
    assert recalibration.high.intercept > 0.3
    assert abs(recalibration.calm.intercept) < 0.5
    recalibrated = recalibration(p[:, 0], high)
    assert recalibrated[high].mean() > 0.5 > 1.7 * p[high].mean()
    assert recalibrated[~high].mean() == pytest.approx(y[~high].mean(), abs=0.03)
