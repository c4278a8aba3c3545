"""Tests of `model.nn.losses.regression`."""

import numpy as np
import pytest

from model.errors import InputError, InputProblem
from model.nn.losses import MSE, Huber, Pinball

pytestmark = pytest.mark.unit


def test_mse_matches_hand_calculation():
    value, gradient = MSE()(np.array([[3.0, 0.0]]), np.array([[1.0, 0.0]]))
    assert value == 2.0
    assert gradient.tolist() == [[2.0, 0.0]]


def test_mse_rejects_infinite_labels():
    with pytest.raises(InputError) as raised:
        MSE().targets(np.array([[np.inf]]), np.float32)
    assert raised.value.problem is InputProblem.LABEL


def test_huber_matches_hand_calculation():
    value, gradient = Huber()(np.array([[0.5, 3.0]]), np.zeros((1, 2)))
    assert value == pytest.approx((0.125 + 2.5) / 2)
    assert gradient.tolist() == [[0.25, 0.5]]


@pytest.mark.parametrize(("z", "y", "expected"), [(2.0, 1.0, 0.1), (1.0, 2.0, 0.9)])
def test_pinball_of_the_90_percent_quantile_penalises_low_predictions_more(z, y, expected):
    assert Pinball((0.9,))(np.array([[z]]), np.array([[y]]))[0] == pytest.approx(expected)


def test_pinball_rejects_another_number_of_outputs_than_quantiles():
    with pytest.raises(InputError) as raised:
        Pinball((0.1, 0.5, 0.9))(np.zeros((4, 1)), np.zeros((4, 1)))
    assert raised.value.problem is InputProblem.SHAPE


@pytest.mark.parametrize("delta", [0.0, -1.0, np.inf])
def test_huber_rejects_delta_that_is_not_positive_and_finite(delta):
    with pytest.raises(ValueError, match="delta"):
        Huber(delta)


@pytest.mark.parametrize("quantiles", [(), (0.5, 1.0), (0.0,)])
def test_pinball_rejects_invalid_quantiles(quantiles):
    with pytest.raises(ValueError, match="quantiles"):
        Pinball(quantiles)
