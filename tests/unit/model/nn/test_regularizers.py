"""Tests of `model.nn.regularizers`."""

import numpy as np
import pytest

from model.nn.diagnostics.gradient_check import check_gradients
from model.nn.losses import BCEWithLogits
from model.nn.network import mlp
from model.nn.regularizers import Penalty, clip_gradient, clip_norm, clip_value

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("penalty", [Penalty(l1=0.1), Penalty(l2=0.3), Penalty(l1=0.05, l2=0.2)])
def test_penalty_gradient_matches_central_differences(penalty):
    rng = np.random.default_rng(2)
    network = mlp((4, 6, 2), rng, activation="tanh", dtype=np.float64)
    x, y = rng.normal(size=(9, 4)), rng.integers(0, 2, (9, 2)).astype(float)
    assert max(check_gradients(network, BCEWithLogits(), x, y, penalty).values()) <= 1e-6


def test_penalty_value_matches_hand_calculation():
    assert Penalty(l1=0.5, l2=0.1).value(np.array([1.0, -2.0])) == pytest.approx(0.5 * 3 + 0.05 * 5)
    assert Penalty().value(np.ones(3)) == 0


def test_clip_norm_keeps_the_direction():
    gradient = np.array([3.0, 4.0])
    assert clip_norm(gradient, 5.0, 1.0)
    assert gradient == pytest.approx([0.6, 0.8])
    assert not clip_norm(gradient, 1.0, 1.0)
    assert not clip_norm(gradient, 1.0, 0.0)


def test_clip_value_changes_large_elements_only():
    gradient = np.array([3.0, -4.0, 0.1])
    assert clip_value(gradient, 1.0)
    assert gradient.tolist() == [1.0, -1.0, 0.1]
    assert not clip_value(gradient, 1.0)
    assert not clip_value(gradient, 0.0)


@pytest.mark.parametrize(
    ("max_norm", "max_value", "expected"),
    [(0.0, 0.0, [3.0, 4.0]), (1.0, 0.0, [0.6, 0.8]), (0.0, 1.0, [1.0, 1.0]), (5.0, 3.0, [3.0, 3.0])],
)
def test_clip_gradient_applies_both_limits(max_norm, max_value, expected):
    gradient = np.array([3.0, 4.0])
    changed = clip_gradient(gradient, 5.0, max_norm, max_value)
    assert changed == (expected != [3.0, 4.0])
    assert gradient == pytest.approx(expected)


@pytest.mark.parametrize("order", ["C", "F"])
def test_clipping_accepts_a_matrix(order):
    gradient = np.array([[3.0, 4.0], [0.0, 0.0]], order=order)
    assert clip_gradient(gradient, 5.0, max_norm=2**0.5, max_value=2.0)
    assert gradient == pytest.approx(np.array([[1.0, 1.0], [0.0, 0.0]]))
    assert clip_norm(gradient, 2**0.5, 2**-0.5)
    assert gradient == pytest.approx(np.array([[0.5, 0.5], [0.0, 0.0]]))
    assert clip_value(gradient, 0.25)
    assert gradient == pytest.approx(np.array([[0.25, 0.25], [0.0, 0.0]]))


def test_clip_gradient_clips_by_norm_after_clipping_by_value():
    gradient = np.array([3.0, 4.0])
    assert clip_gradient(gradient, 5.0, max_norm=2**0.5, max_value=2.0)
    assert gradient == pytest.approx([1.0, 1.0])
