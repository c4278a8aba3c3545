"""Host levels: equal to the level filters of a single host."""

import numpy as np
import pytest

from model.forecast.fleet.host_levels import HostLevels
from model.forecast.fleet.outcome_log import Matured
from model.forecast.online.running_level import LevelFilter

pytestmark = pytest.mark.unit

HORIZONS = (300.0, 3600.0)


def make_matured(horizon, states, logits, outcomes):
    return Matured(horizon, np.arange(len(states)), np.array(states), np.array(logits), np.array(outcomes))


def test_levels_equal_the_filters_of_a_single_host():
    rng = np.random.default_rng(0)
    levels = HostLevels(2, HORIZONS, 300.0)
    filters = [[[LevelFilter(horizon) for horizon in HORIZONS] for _ in range(2)] for _ in range(2)]
    slope = rng.uniform(0.5, 1.5, (2, 2, 2))
    intercept = rng.normal(0, 0.5, (2, 2, 2))
    for _ in range(200):
        levels.decay(1)
        for host in filters:
            for state in host:
                for level in state:
                    level.decay(300.0)
        for i in range(2):
            states = rng.integers(0, 2, 2)
            z = rng.normal(0, 2, 2)
            y = np.array([1.0, float(rng.random() < 0.2)])
            levels.observe(make_matured(i, states, z, y), slope, intercept)
            for host, state in enumerate(states):
                own = slope[host, state, i] * z[host] + intercept[host, state, i]
                filters[host][state][i].observe(own, y[host])
    expected = [[[level.offset for level in state] for state in host] for host in filters]
    np.testing.assert_allclose(levels.offsets, expected, rtol=1e-9)
    assert (levels.offsets[0] > 0.5).any()


def test_unknown_outcomes_and_predictions_change_nothing():
    levels = HostLevels(2, HORIZONS, 300.0)
    ones = np.ones((2, 2, 2))
    levels.observe(make_matured(0, [0, 0], [np.nan, 1.0], [1.0, np.nan]), ones, 0 * ones)
    assert (levels.offsets == 0).all()
    levels.observe(make_matured(0, [0, 0], [-9.0, -9.0], [1.0, 1.0]), ones, 0 * ones)
    levels.clear(np.array([0]))
    assert (levels._mean[0] == 0).all()
    assert levels._mean[1, 0, 0] > 0
