"""Tests of `model.nn.initializers`."""

import math

import numpy as np
import pytest

from model.nn.initializers import INITIALIZERS, initialize_output_bias
from model.nn.layers import Linear
from model.nn.losses import MSE, BCEWithLogits
from model.nn.network import Network, mlp

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializer_has_the_variance_of_its_formula(name):
    fan_in, fan_out = 300, 500
    expected = {"he": 2 / fan_in, "xavier": 2 / (fan_in + fan_out), "small": 1e-4, "zeros": 0.0}[name.split("_")[0]]
    weights = INITIALIZERS[name](fan_in, fan_out, np.random.default_rng(0))
    assert weights.shape == (fan_in, fan_out)
    assert weights.var() == pytest.approx(expected, rel=0.02)
    assert abs(weights.mean()) < 4 * math.sqrt(expected / weights.size) + 1e-12


def test_he_initialisation_keeps_the_variance_through_relus():
    network = mlp((256, 256, 256, 1), np.random.default_rng(0), dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(500, 256))
    for layer in network.layers[:4]:
        x, _ = layer.forward(x)
    assert np.mean(x**2) == pytest.approx(1.0, rel=0.25)


def test_initial_output_bias_predicts_the_base_rates():
    y = np.array([[1, 0], [0, 0], [0, np.nan], [0, 1]], np.float32)
    network = Network([Linear(np.zeros((2, 2), np.float32), np.zeros(2, np.float32))])
    initialize_output_bias(network, BCEWithLogits(), y)
    predictions = BCEWithLogits().predictions(network.predict(np.zeros((1, 2), np.float32)))
    assert predictions[0] == pytest.approx([1 / 4, 1 / 3])


def test_initial_output_bias_is_unchanged_for_losses_without_base_rate():
    network = mlp((2, 1), np.random.default_rng(0))
    initialize_output_bias(network, MSE(), np.ones((3, 1)))
    assert network.parameters()["0.bias"].tolist() == [0.0]
