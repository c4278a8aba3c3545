"""Tests of `model.nn.layers`."""

import numpy as np
import pytest

from model.nn.layers import Dropout, Linear

pytestmark = pytest.mark.unit


def test_linear_forward_and_backward_match_hand_calculation():
    layer = Linear(np.array([[2.0], [-1.0]]), np.array([0.5]))
    y, cache = layer.forward(np.array([[1.0, 3.0]]))
    assert y.tolist() == [[-0.5]]
    input_gradient, gradients = layer.backward(np.array([[2.0]]), cache)
    assert input_gradient.tolist() == [[4.0, -2.0]]
    assert gradients["weight"].tolist() == [[2.0], [6.0]]
    assert gradients["bias"].tolist() == [2.0]


def test_linear_input_gradient_of_large_weights_matches_the_product():
    rng = np.random.default_rng(0)
    layer = Linear(rng.normal(size=(64, 64)), rng.normal(size=64))
    grad = rng.normal(size=(5, 64))
    input_gradient, _ = layer.backward(grad, rng.normal(size=(5, 64)))
    assert input_gradient == pytest.approx(grad @ layer.weight.T, rel=1e-12)


@pytest.mark.parametrize(
    ("weight", "bias", "inputs"),
    [((3, 4), (3,), 3), ((3, 4), (4,), 5), ((3,), (3,), 3)],
)
def test_linear_output_width_rejects_shapes_that_do_not_fit(weight, bias, inputs):
    with pytest.raises(ValueError, match=r"biases|inputs"):
        Linear(np.zeros(weight), np.zeros(bias)).output_width(inputs)


def test_dropout_keeps_the_mean_and_reuses_its_mask_backward():
    x = np.ones((2000, 10))
    layer = Dropout(0.3)
    y, mask = layer.forward(x, np.random.default_rng(0))
    assert set(np.unique(y)) == {0.0, 1 / 0.7}
    assert abs(y.mean() - 1) < 0.02
    assert np.array_equal(layer.backward(np.ones_like(x), mask)[0], y)


def test_dropout_is_the_identity_in_prediction():
    x = np.ones((2, 3))
    assert Dropout(0.5).forward(x)[0] is x
    assert Dropout(0.5).apply(x) is x


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_dropout_rejects_rate_outside_its_range(rate):
    with pytest.raises(ValueError, match="rate"):
        Dropout(rate)
