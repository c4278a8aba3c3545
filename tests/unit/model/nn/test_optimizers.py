"""Tests of `model.nn.optimizers`."""

import math
import re

import numpy as np
import pytest

from model.nn.optimizers import FLUSH_INTERVAL, OPTIMIZERS, SGD, Adam, AdamW, RMSprop

pytestmark = pytest.mark.unit

GRADIENTS = (0.5, -0.2, 0.1)


def weights_after_steps(optimizer, rate=0.01):
    """Return the weight after each of three steps from 1."""
    weight, trajectory = np.array([1.0]), []
    for gradient in GRADIENTS:
        weight += optimizer.update(weight, np.array([gradient]), rate)
        trajectory.append(float(weight[0]))
    return trajectory


def test_sgd_matches_its_formula():
    expected = 1.0 - 0.01 * np.cumsum(GRADIENTS)
    assert weights_after_steps(SGD()) == pytest.approx(list(expected), rel=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_with_momentum_matches_its_formula(nesterov):
    weight, velocity, expected = 1.0, 0.0, []
    for gradient in GRADIENTS:
        velocity = 0.9 * velocity + gradient
        weight -= 0.01 * (gradient + 0.9 * velocity if nesterov else velocity)
        expected.append(weight)
    assert weights_after_steps(SGD(0.9, nesterov=nesterov)) == pytest.approx(expected, rel=1e-12)


def test_rmsprop_matches_its_formula():
    weight, square, expected = 1.0, 0.0, []
    for gradient in GRADIENTS:
        square = 0.99 * square + 0.01 * gradient**2
        weight -= 0.01 * gradient / (math.sqrt(square) + 1e-8)
        expected.append(weight)
    assert weights_after_steps(RMSprop()) == pytest.approx(expected, rel=1e-12)


def test_adam_matches_algorithm_1_of_the_paper():
    weight, mean, square, expected = 1.0, 0.0, 0.0, []
    for t, gradient in enumerate(GRADIENTS, start=1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        weight -= 0.01 * (mean / (1 - 0.9**t)) / (math.sqrt(square / (1 - 0.999**t)) + 1e-8)
        expected.append(weight)
    assert weights_after_steps(Adam()) == pytest.approx(expected, rel=1e-12)


def test_adam_flushes_moments_that_become_denormal():
    optimizer = Adam()
    for step in range(FLUSH_INTERVAL):
        optimizer.update(np.zeros(2), np.array([1e-30 if step == 0 else 0.0, 1.0]), 0.01)
    assert optimizer.state.arrays["mean"][0] == 0
    assert optimizer.state.arrays["mean"][1] > 0


def test_adamw_decays_the_leading_weights_without_changing_the_moments():
    weights, gradient = np.array([2.0, 2.0]), np.array([0.5, 0.5])
    decayed = AdamW(weight_decay=0.1, decayed=1).update(weights, gradient, 0.01)
    plain = Adam().update(weights, gradient, 0.01)
    assert decayed - plain == pytest.approx([-0.01 * 0.1 * 2.0, 0.0])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_minimises_a_parabola(name):
    weights, optimizer = np.array([3.0, -2.0]), OPTIMIZERS[name]()
    for _ in range(300):
        weights += optimizer.update(weights, 2 * weights, 0.02)
    assert np.abs(weights).max() < 0.2


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_has_the_announced_names_after_the_first_step(name):
    optimizer = OPTIMIZERS[name]()
    assert optimizer.state.names == frozenset()
    optimizer.update(np.zeros(2), np.ones(2), 0.1)
    assert optimizer.state.names == optimizer.state_names


def test_state_excludes_the_array_of_the_update():
    optimizers = {"sgd": set(), "momentum": {"velocity"}, "rmsprop": {"square"}, "adam": {"mean", "square"}}
    for name, arrays in optimizers.items():
        optimizer = OPTIMIZERS[name]()
        update = optimizer.update(np.zeros(2), np.ones(2), 0.1)
        assert set(optimizer.state.arrays) == arrays
        assert optimizer.update(np.zeros(2), np.ones(2), 0.1) is update


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(1.5), "momentum must be at least 0 and below 1, not 1.5"),
        (lambda: RMSprop(epsilon=0.0), "epsilon must be above 0, not 0.0"),
        (lambda: RMSprop(decay=1), "decay must be at least 0 and below 1, not 1"),
        (lambda: Adam(beta1=-0.1), "beta1 must be at least 0 and below 1, not -0.1"),
        (lambda: Adam(beta2=1.0), "beta2 must be at least 0 and below 1, not 1.0"),
        (lambda: AdamW(epsilon=0), "epsilon must be above 0, not 0"),
        (lambda: AdamW(weight_decay=-1), "weight_decay must be at least 0, not -1"),
    ],
)
def test_optimizer_names_the_setting_out_of_range(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()
