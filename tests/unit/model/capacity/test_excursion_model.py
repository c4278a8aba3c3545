"""Excursion model: robust regression, and the distribution of its residuals."""

import numpy as np
import pytest

from model.capacity.excursion_model import (
    MAX_ROWS,
    cross_fitted,
    fit_excursion_model,
    regression_weights,
    training_rows,
)
from model.capacity.excursions import excursions_of
from model.capacity.prior import prior_for
from model.capacity.usage_grid import UsageGrid
from model.units import DAY

pytestmark = pytest.mark.unit

PRIOR = prior_for(DAY)


def daily(seed, days=14):
    """Return excursions of a use that grows by a random amount in each day, and falls back."""
    rng = np.random.default_rng(seed)
    day = np.concatenate((np.linspace(0, 1, 144), np.linspace(1, 0, 144)))
    values = np.concatenate([0.3 + rng.uniform(0.1, 0.3) * day for _ in range(days)])
    return excursions_of(UsageGrid(300.0, values, values), DAY, 1.0)


def test_model_without_history_is_the_prior():
    values = np.full(100, 0.5)
    excursions = excursions_of(UsageGrid(300.0, values, values), DAY, 1.0)
    model = fit_excursion_model(excursions, 288, PRIOR)
    np.testing.assert_array_equal(model.weights, PRIOR.weights)
    assert len(model.residuals) == 0
    assert 0 < model.probability(excursions.features[-1], 5.0) < 0.2


def test_probability_falls_with_the_margin_from_one_to_zero():
    excursions = daily(0)
    model = fit_excursion_model(excursions, 288, PRIOR)
    features = excursions.features[-1]
    scale = excursions.activity[-1]
    p = [model.probability(features, margin / scale) for margin in (0.0, 0.1, 0.2, 0.3, 0.6)]
    assert p == sorted(p, reverse=True)
    assert p[0] > 0.9
    assert p[-1] < 0.03


def test_median_has_half_of_the_excursions_below_it():
    excursions = daily(1)
    model = fit_excursion_model(excursions, 288, PRIOR)
    rows = training_rows(excursions)
    below = [excursions.excursions[i] < model.median(excursions.features[i]) for i in rows[::10]]
    assert 0.3 < np.mean(below) < 0.7


def test_training_rows_are_bounded_and_known():
    rows = training_rows(daily(2))
    assert MAX_ROWS / 2 < len(rows) <= MAX_ROWS
    assert rows[-1] == 14 * 288 - 288 - 1


def test_regression_weights_resist_outliers_and_stay_near_the_prior_on_few_rows():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 2, (4000, 3))
    truth = np.array([0.5, 0.2, 0.1])
    z = x @ truth
    z[::50] += 9
    weights = regression_weights(x, z, np.ones(4000), np.zeros(3))
    np.testing.assert_allclose(weights, truth, atol=0.03)
    few = regression_weights(x[:5], z[:5], np.full(5, 0.01), np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(few, [0, 0, 1], atol=0.05)


def test_cross_fitted_predictions_do_not_contain_their_own_noise():
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 1, (40, 8))
    z = rng.uniform(0, 1, 40)
    inside = z - x @ regression_weights(x, z, np.ones(40), np.zeros(8))
    outside = z - cross_fitted(x, z, np.ones(40), 0, np.zeros(8))
    assert np.mean(outside**2) > np.mean(inside**2)
