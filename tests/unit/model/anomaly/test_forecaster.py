"""Ridge regression on the last rows."""

import numpy as np
import pytest

from model.anomaly.forecaster import HORIZONS, LAGS, LOOKBACK, contiguous_folds, fit_forecaster, lagged_windows

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def z():
    rng = np.random.default_rng(4)
    return rng.normal(size=(900, 2)).cumsum(axis=0) * 0.1 + rng.normal(size=(900, 2))


@pytest.mark.parametrize(("i", "horizon"), list(enumerate(HORIZONS)))
def test_forecaster_solves_the_ridge_regression(z, i, horizon):
    forecaster, _ = fit_forecaster(z, np.ones(900, bool))
    rows = np.arange(LOOKBACK, 900)
    lags = np.concatenate([z[rows - horizon - k] for k in range(LAGS)], axis=1)
    design = np.concatenate((lags, np.ones((len(rows), 1))), axis=1)
    penalty = np.diag([10.0] * lags.shape[1] + [1e-6])
    weights = np.linalg.solve(design.T @ design + penalty, design.T @ z[rows])
    windows = np.stack([z[row - LOOKBACK : row].ravel() for row in rows])
    assert forecaster(windows)[:, 2 * i : 2 * i + 2] == pytest.approx(design @ weights)


def test_residuals_are_cross_fitted(z):
    forecaster, residuals = fit_forecaster(z, np.ones(900, bool))
    windows = np.concatenate([batch for _, batch in lagged_windows(z)])
    in_sample = z[LOOKBACK:] - forecaster(windows)[:, :2]
    assert not residuals[:LOOKBACK].any()
    assert np.square(residuals[LOOKBACK:, :2]).mean() > np.square(in_sample).mean()


def test_contiguous_folds_have_equal_numbers_of_usable_rows():
    usable = np.ones(100, bool)
    usable[:40] = False
    folds = contiguous_folds(usable)
    assert (np.diff(folds) >= 0).all()
    counts = np.bincount(folds[usable])
    assert counts.tolist() == pytest.approx([20, 20, 20], abs=1)
