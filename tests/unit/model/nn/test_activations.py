"""Tests of `model.nn.activations`."""

import numpy as np
import pytest

from model.nn.activations import ACTIVATIONS, LeakyReLU, ReLU, Sigmoid, Tanh
from model.nn.diagnostics.gradient_check import check_gradients
from model.nn.network import mlp
from tests.unit.model.nn.cases import LOSS_CASES, random_labels

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("loss", LOSS_CASES.values(), ids=LOSS_CASES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_gradient_matches_central_differences_under_each_loss(activation, loss):
    rng = np.random.default_rng(1)
    network = mlp((4, 6, 5, 3), rng, activation=activation, dropout=0.3, dtype=np.float64)
    network.flat += rng.normal(scale=0.1, size=network.flat.shape)
    x = rng.normal(size=(9, 4))
    for seed in (None, 5):
        errors = check_gradients(network, loss, x, random_labels(loss, rng), seed=seed)
        assert set(errors) == {*network.names, "input"}
        assert max(errors.values()) <= 1e-6, errors


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_apply_equals_forward(activation):
    layer = ACTIVATIONS[activation]()
    x = np.random.default_rng(0).normal(size=(5, 4))
    y, cache = layer.forward(x)
    assert np.array_equal(layer.apply(x), y)
    assert cache is y


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_relu_passes_the_gradient_where_its_output_is_positive(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    y = np.array([[0.0, tiny, 3.0, np.inf, 1e30]], dtype)
    grad = np.array([[-2.0, -5.0, 1e-30, np.nan, np.inf]], dtype)
    passed, _ = ReLU().backward(grad, y)
    assert passed.dtype == dtype
    assert np.array_equal(passed, np.array([[0.0, -5.0, 1e-30, np.nan, np.inf]], dtype), equal_nan=True)
    assert np.array_equal(grad[0, :3], np.array([-2.0, -5.0, 1e-30], dtype))
    strided, _ = ReLU().backward(np.repeat(grad, 2, axis=1)[:, ::2], y)
    assert np.array_equal(strided, passed, equal_nan=True)


def test_saturated_marks_outputs_near_the_limits():
    assert Tanh().saturated(np.array([-0.995, 0.5, 0.995])).tolist() == [True, False, True]
    assert Sigmoid().saturated(np.array([0.004, 0.5, 0.996])).tolist() == [True, False, True]
    assert ReLU().saturated(np.zeros(3)) is None


@pytest.mark.parametrize("leak", [0.0, 1.0, 1.5])
def test_leaky_relu_rejects_leak_outside_0_to_1(leak):
    with pytest.raises(ValueError, match="leak"):
        LeakyReLU(leak)


def test_rescale_multipliers_is_the_chord_slope_and_the_derivative_without_move():
    x, reference = np.array([[2.0, 1.0]]), np.array([[-2.0, 1.0]])
    assert ReLU().rescale_multipliers(np.ones((1, 2)), x, reference).tolist() == [[0.5, 1.0]]
