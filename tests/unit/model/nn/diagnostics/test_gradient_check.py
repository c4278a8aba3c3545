"""Tests of `model.nn.diagnostics.gradient_check`."""

import numpy as np
import pytest

from model.nn.activations import LeakyReLU
from model.nn.diagnostics.gradient_check import check_gradients, numerical_gradient, relative_error
from model.nn.losses import MSE
from model.nn.network import Network, mlp

pytestmark = pytest.mark.unit


def test_numerical_gradient_is_exact_for_a_cubic_and_restores_the_parameter():
    parameter = np.array([[1.0, -2.0]])
    gradient = numerical_gradient(lambda: float((parameter**3).sum()), parameter)
    assert gradient == pytest.approx(np.array([[3.0, 12.0]]))
    assert parameter.tolist() == [[1.0, -2.0]]


def test_relative_error_is_between_0_and_1():
    assert relative_error(np.zeros(2), np.zeros(2)) == 0.0
    assert relative_error(np.ones(2), np.zeros(2)) == 1.0
    assert relative_error(np.array([1.0]), np.array([1.1])) == pytest.approx(0.1 / 2.1)


def test_check_gradients_finds_a_wrong_derivative():
    class WrongLeakyReLU(LeakyReLU):
        def derivative(self, y, ops):
            return super().derivative(y, ops) * 1.001

    rng = np.random.default_rng(3)
    network = mlp((3, 4, 1), rng, dtype=np.float64)
    network = Network([network.layers[0], WrongLeakyReLU(), network.layers[2]])
    errors = check_gradients(network, MSE(), rng.normal(size=(5, 3)), rng.normal(size=(5, 1)))
    assert errors["0.weight"] > 1e-4
    assert errors["2.weight"] < 1e-6


def test_check_gradients_rejects_float32_and_networks_without_parameters():
    with pytest.raises(ValueError, match="float64"):
        check_gradients(mlp((2, 1), np.random.default_rng(0)), MSE(), np.zeros((1, 2)), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="no parameters"):
        check_gradients(Network([LeakyReLU()]), MSE(), np.zeros((1, 1)), np.zeros((1, 1)))
