"""Ridge regression of each metric on its own last rows."""

import numpy as np
import pytest

from model.anomaly.forecaster import (
    HORIZONS,
    LAGS,
    LOOKBACK,
    VectorAutoregression,
    contiguous_folds,
    fit_autoregression,
)

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def z():
    rng = np.random.default_rng(4)
    return rng.normal(size=(900, 2)).cumsum(axis=0) * 0.1 + rng.normal(size=(900, 2))


@pytest.mark.parametrize(("i", "horizon"), list(enumerate(HORIZONS)))
def test_autoregression_solves_the_ridge_regression(z, i, horizon):
    forecaster, _ = fit_autoregression(z, np.ones(900, bool))
    rows = np.arange(LOOKBACK, 900)
    penalty = np.diag([10.0] * LAGS + [1e-6])
    for metric in range(2):
        lags = np.stack([z[rows - horizon - k, metric] for k in range(LAGS)], axis=1)
        design = np.concatenate((lags, np.ones((len(rows), 1))), axis=1)
        weights = np.linalg.solve(design.T @ design + penalty, design.T @ z[rows, metric])
        forecasts = [forecaster(z[:row])[2 * i + metric] for row in (LOOKBACK, 500, 899)]
        assert forecasts == pytest.approx((design @ weights)[[0, 500 - LOOKBACK, 899 - LOOKBACK]])


def test_residuals_are_cross_fitted(z):
    forecaster, residuals = fit_autoregression(z, np.ones(900, bool))
    in_sample = np.stack([np.tile(z[row], 2) - forecaster(z[:row]) for row in range(LOOKBACK, 900)])
    assert not residuals[:LOOKBACK].any()
    assert residuals[LOOKBACK:] == pytest.approx(in_sample, abs=1.5)
    assert np.square(residuals[LOOKBACK:]).mean() > np.square(in_sample).mean()


def test_rows_that_are_not_usable_have_no_influence(z):
    usable = np.ones(900, bool)
    usable[300:400] = False
    other = z.copy()
    other[310:370] = 50.0
    first, _ = fit_autoregression(z, usable)
    second, _ = fit_autoregression(other, usable)
    assert first.weights == pytest.approx(second.weights)


def test_vector_autoregression_uses_its_last_rows():
    weights = np.zeros((16 * 2 + 1, 4))
    weights[-1] = 0.5
    weights[0, 0] = weights[-2, 3] = 1.0
    recent = np.arange(60.0).reshape(30, 2)
    assert VectorAutoregression(weights)(recent).tolist() == [28.5, 0.5, 0.5, 59.5]


def test_contiguous_folds_have_equal_numbers_of_usable_rows():
    usable = np.ones(100, bool)
    usable[:40] = False
    folds = contiguous_folds(usable)
    assert (np.diff(folds) >= 0).all()
    counts = np.bincount(folds[usable])
    assert counts.tolist() == pytest.approx([20, 20, 20], abs=1)
