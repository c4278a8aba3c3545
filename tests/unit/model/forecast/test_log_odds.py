"""Conversion between probabilities and log-odds."""

import numpy as np
import pytest

from model.forecast.log_odds import FLOOR, logit, sigmoid

pytestmark = pytest.mark.unit


def test_sigmoid_is_the_inverse_of_logit():
    p = np.linspace(0.001, 0.999, 101)
    assert sigmoid(logit(p)) == pytest.approx(p, abs=1e-12)


def test_sigmoid_of_extreme_log_odds_has_the_limits():
    assert sigmoid(np.array([-1e4, 0.0, 1e4])) == pytest.approx([0.0, 0.5, 1.0], rel=0, abs=1e-300)


def test_logit_clips_at_the_floor():
    assert logit(np.array([0.0, 1.0])) == pytest.approx([np.log(FLOOR / (1 - FLOOR)), -np.log(FLOOR / (1 - FLOOR))])
    assert logit(np.array(0.0), 1e-4).shape == ()


@pytest.mark.parametrize("function", [sigmoid, logit])
def test_bits_of_a_value_do_not_depend_on_the_array(function):
    values = np.random.default_rng(0).random((301, 3))
    together = function(values)
    assert np.array([[function(np.array([x]))[0] for x in row] for row in values]).tobytes() == together.tobytes()
    strided = function(values[:, ::2])
    assert np.ascontiguousarray(strided).tobytes() == np.ascontiguousarray(together[:, ::2]).tobytes()
