"""Optimizers, schedules, clipping and starting weights do what their formulas say."""

import math

import numpy as np
import pytest

from model.nn.clipping import clip_norm, clip_value
from model.nn.initializers import INITIALIZERS
from model.nn.network import mlp
from model.nn.optimizers import OPTIMIZERS, SGD, Adam, AdamW, RMSprop, make_optimizer
from model.nn.schedules import SCHEDULES, Cosine, Exponential, ReduceOnPlateau, StepDecay, WarmUp

pytestmark = pytest.mark.unit

GRADIENTS = (0.5, -0.2, 0.1)


def follow(optimizer, rate=0.01):
    """The weight after each of three steps from 1."""
    w, seen = np.array([1.0]), []
    for g in GRADIENTS:
        w += optimizer.update(w, np.array([g]), rate)
        seen.append(float(w[0]))
    return seen


def test_sgd_with_momentum_and_nesterov_follow_their_formulas():
    plain, heavy, looking = 1.0, 1.0, 1.0
    v, expected = 0.0, []
    for g in GRADIENTS:
        v = 0.9 * v + g
        plain, heavy, looking = plain - 0.01 * g, heavy - 0.01 * v, looking - 0.01 * (g + 0.9 * v)
        expected.append((plain, heavy, looking))
    found = zip(follow(SGD()), follow(SGD(0.9)), follow(SGD(0.9, nesterov=True)), strict=True)
    assert list(found) == [pytest.approx(e, rel=1e-12) for e in expected]


def test_rmsprop_follows_its_formula():
    w, v, expected = 1.0, 0.0, []
    for g in GRADIENTS:
        v = 0.99 * v + 0.01 * g * g
        w -= 0.01 * g / (math.sqrt(v) + 1e-8)
        expected.append(w)
    assert follow(RMSprop()) == pytest.approx(expected, rel=1e-12)


def test_adam_follows_the_paper():
    # Kingma and Ba 2015, algorithm 1, in plain arithmetic
    w, m, v, expected = 1.0, 0.0, 0.0, []
    for t, g in enumerate(GRADIENTS, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= 0.01 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        expected.append(w)
    assert follow(Adam()) == pytest.approx(expected, rel=1e-12)


def test_decoupled_decay_pulls_on_the_weights_and_not_on_the_moments():
    w, g = np.array([2.0, 2.0]), np.array([0.5, 0.5])
    with_decay = AdamW(weight_decay=0.1, decayed=1).update(w, g, 0.01)
    without = Adam().update(w, g, 0.01)
    assert with_decay - without == pytest.approx([-0.01 * 0.1 * 2.0, 0.0])


def test_only_adamw_takes_a_weight_decay():
    for name in OPTIMIZERS:
        if name == "adamw":
            assert make_optimizer(name, 0.1).weight_decay == 0.1
        else:
            with pytest.raises(ValueError, match="adamw"):
                make_optimizer(name, 0.1)
    with pytest.raises(ValueError, match="unknown optimizer 'lion'; one of sgd"):
        make_optimizer("lion")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_of_an_optimizer_goes_downhill(name):
    w, optimizer = np.array([3.0, -2.0]), make_optimizer(name)
    for _ in range(300):
        w += optimizer.update(w, 2 * w, 0.02)
    assert np.abs(w).max() < 0.2


def test_schedules_go_where_they_should():
    assert [round(Cosine().factor(p), 9) for p in (0.0, 0.5, 1.0)] == [1.0, 0.5, 0.0]
    assert [StepDecay(0.5, 0.25).factor(p) for p in (0.0, 0.24, 0.25, 0.5, 0.99)] == [1, 1, 0.5, 0.25, 0.125]
    assert [Exponential(0.01).factor(p) for p in (0.0, 0.5, 1.0)] == pytest.approx([1.0, 0.1, 0.01])
    warm = WarmUp(0.2, Cosine())
    assert [warm.factor(p) for p in (0.0, 0.1, 0.2, 0.6, 1.0)] == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0])


def test_the_rate_falls_on_a_plateau_and_only_there():
    schedule = ReduceOnPlateau(drop=0.1, patience=2, least=0.005)
    seen = []
    losses = [1.0, 0.9, 0.95, 0.91, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]
    for n in range(len(losses) + 1):
        schedule.begin_epoch(losses[:n])
        seen.append(schedule.factor(0.5))
    assert seen == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.005, 0.005, 0.005])


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_of_the_table_stays_between_nothing_and_the_whole_rate(name):
    schedule = SCHEDULES[name]()
    schedule.begin_epoch([])
    factors = [schedule.factor(p) for p in np.linspace(0, 1, 101)]
    assert all(0 <= f <= 1 for f in factors)


def test_clipping_by_norm_keeps_the_direction_and_by_value_the_small_ones():
    g = np.array([3.0, 4.0])
    assert clip_norm(g, 5.0, 1.0)
    assert g == pytest.approx([0.6, 0.8])
    assert not clip_norm(g, 1.0, 1.0)
    assert not clip_norm(g, 1.0, 0.0)
    g = np.array([3.0, -4.0, 0.1])
    assert clip_value(g, 1.0)
    assert g.tolist() == [1.0, -1.0, 0.1]
    assert not clip_value(g, 1.0)
    assert not clip_value(g, 0.0)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_starting_weights_have_the_variance_they_are_named_for(name):
    fan_in, fan_out = 300, 500
    expected = {"he": 2 / fan_in, "xavier": 2 / (fan_in + fan_out), "small": 1e-4, "zeros": 0.0}[name.split("_")[0]]
    w = INITIALIZERS[name](fan_in, fan_out, np.random.default_rng(0))
    assert w.shape == (fan_in, fan_out)
    assert w.var() == pytest.approx(expected, rel=0.02)
    assert abs(w.mean()) < 4 * math.sqrt(expected / w.size) + 1e-12


@pytest.mark.parametrize(("activation", "initializer"), [("relu", "he_normal"), ("tanh", "xavier_normal")])
def test_by_default_the_start_fits_the_activation(activation, initializer):
    by_default = mlp((5, 7, 2), np.random.default_rng(0), activation=activation)
    named = INITIALIZERS[initializer](5, 7, np.random.default_rng(0)).astype(np.float32)
    assert np.array_equal(by_default.parameters()["0.weight"], named)


def test_sizes_that_make_no_network_are_refused():
    for sizes in ((3,), (3, 0, 1)):
        with pytest.raises(ValueError, match="sizes"):
            mlp(sizes, np.random.default_rng(0))
