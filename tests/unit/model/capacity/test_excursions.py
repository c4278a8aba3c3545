"""Excursions: growth within the horizon, and features that see only the past."""

import numpy as np
import pytest

from model.capacity.excursions import FEATURES, excursions_of
from model.capacity.usage_grid import UsageGrid
from model.units import DAY, HOUR

pytestmark = pytest.mark.unit


def grid_of(values):
    return UsageGrid(300.0, values, values)


def test_excursions_of_steady_growth_equal_the_growth_of_one_horizon():
    grid = grid_of(np.arange(2000) * 1e-4)
    result = excursions_of(grid, DAY, 1.0)
    growth = 288 * 1e-4
    np.testing.assert_allclose((result.excursions * result.activity)[:1712], growth)
    assert np.isnan(result.excursions[1712:]).all()
    last = dict(zip(FEATURES, result.features[-1] * result.activity[-1], strict=True))
    assert last["growth"] == pytest.approx(growth)
    assert last["growth_24th"] == pytest.approx(growth)
    assert last["last"] == pytest.approx(growth)
    assert last["return"] == 0


def test_features_do_not_depend_on_the_future():
    values = np.random.default_rng(1).uniform(0.2, 0.9, 1500)
    whole = excursions_of(grid_of(values), 6 * HOUR, 1.0)
    part = excursions_of(grid_of(values[:900]), 6 * HOUR, 1.0)
    np.testing.assert_allclose(whole.features[:900], part.features)
    np.testing.assert_allclose(whole.activity[:900], part.activity)


def test_excursions_of_a_scaled_resource_have_the_same_features():
    values = np.random.default_rng(2).uniform(0.2, 0.9, 900)
    small = excursions_of(grid_of(values), 6 * HOUR, 1.0)
    large = excursions_of(grid_of(values * 1e12), 6 * HOUR, 1e12)
    np.testing.assert_allclose(small.features, large.features, rtol=1e-9)


def test_excursions_are_unknown_where_the_use_is():
    values = np.full(600, 0.5)
    values[300] = np.nan
    result = excursions_of(grid_of(values), HOUR, 1.0)
    assert np.isnan(result.features[300]).all()
    assert not np.isnan(result.features[299]).any()
