"""The network's algebra is right, and prediction touches nothing."""

import numpy as np
import pytest

from model.gradients import dead_units, numerical_gradient
from model.layers import Dropout, Linear, ReLU
from model.losses import BCEWithLogits, sigmoid
from model.network import Network, mlp
from model.optimizers import Adam, make_optimizer

pytestmark = pytest.mark.unit


def relative_error(a, b):
    return np.max(np.abs(a - b)) / max(np.max(np.abs(a)), np.max(np.abs(b)))


@pytest.mark.parametrize("sizes", [(3, 1), (5, 4, 2), (4, 6, 5, 3)])
def test_backward_agrees_with_central_differences(sizes):
    rng = np.random.default_rng(1)
    network = mlp(sizes, rng, dtype=np.float64)
    x = rng.normal(size=(7, sizes[0]))
    y = rng.integers(0, 2, (7, sizes[-1])).astype(float)
    y[2, 0] = np.nan
    loss = BCEWithLogits()
    z, caches = network.forward(x)
    gradients = network.backward(loss(z, y)[1], caches)
    for name, parameter in network.parameters().items():
        expected = numerical_gradient(lambda: loss(network.predict(x), y)[0], parameter)
        assert relative_error(gradients[name], expected) <= 1e-6, name


def test_dropout_backward_uses_the_mask_of_its_forward_and_keeps_the_mean():
    x = np.ones((2000, 10))
    layer = Dropout(0.3)
    y, mask = layer.forward(x, np.random.default_rng(0))
    assert set(np.unique(y)) == {0.0, 1 / 0.7}
    assert abs(y.mean() - 1) < 0.02
    assert np.array_equal(layer.backward(np.ones_like(x), mask)[0], y)


def test_dropout_does_nothing_in_prediction():
    x = np.ones((2, 3))
    assert Dropout(0.5).forward(x)[0] is x


def test_a_step_of_one_layer_by_hand():
    # z = 1*2 + 3*(-1) + 0.5 = -0.5; a = sigmoid(-0.5); dz = a - 1; dW = x dz; db = dz
    network = Network([Linear(np.array([[2.0], [-1.0]]), np.array([0.5]))])
    z, caches = network.forward(np.array([[1.0, 3.0]]))
    loss, dz = BCEWithLogits()(z, np.array([[1.0]]))
    a = 1 / (1 + np.exp(0.5))
    assert loss == pytest.approx(-np.log(a))
    assert network.flat_gradient(dz, caches) == pytest.approx([a - 1, 3 * (a - 1), a - 1])


def test_loss_and_sigmoid_are_finite_at_a_thousand():
    z = np.array([[1000.0, -1000.0]])
    loss, dz = BCEWithLogits()(z, np.array([[0.0, 1.0]]))
    assert loss == 1000.0
    assert dz.tolist() == [[0.5, -0.5]]
    assert sigmoid(z).tolist() == [[1.0, 0.0]]


def test_an_unknown_label_passes_no_gradient_and_does_not_count():
    z = np.array([[0.3, -2.0]])
    known, dz = BCEWithLogits()(z, np.array([[1.0, np.nan]]))
    alone, _ = BCEWithLogits()(z[:, :1], np.array([[1.0]]))
    assert known == alone
    assert dz[0, 1] == 0


def test_parameters_are_views_into_one_vector():
    network = mlp((3, 4, 2), np.random.default_rng(0))
    network.flat[:] = np.arange(network.flat.size)
    assert network.names == ("0.weight", "0.bias", "2.weight", "2.bias")
    assert network.parameters()["2.bias"].tolist() == [24.0, 25.0]


def test_prediction_of_a_row_does_not_depend_on_its_company():
    network = mlp((4, 8, 2), np.random.default_rng(0), dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(50, 4))
    assert network.predict(x)[7] == pytest.approx(network.predict(x[7:8])[0], rel=1e-12)


def test_attribution_adds_up_to_the_difference_of_the_outputs():
    rng = np.random.default_rng(3)
    network = mlp((6, 16, 8, 3), rng, dropout=0.2, dtype=np.float64)
    x, reference = rng.normal(size=6), rng.normal(size=6)
    difference = network.predict(x[None])[0] - network.predict(reference[None])[0]
    assert network.attribute(x, reference).sum(axis=1) == pytest.approx(difference, rel=1e-9)


def test_attribution_gives_nothing_to_an_input_that_did_not_move():
    network = mlp((3, 8, 1), np.random.default_rng(0), dtype=np.float64)
    assert network.attribute(np.array([1.0, 0.0, 2.0]), np.zeros(3))[0, 1] == 0


def test_adam_follows_the_paper():
    # Kingma and Ba 2015, algorithm 1, two steps in plain arithmetic
    adam, w = Adam(), np.array([1.0])
    m = v = 0.0
    for t, g in enumerate((0.5, -0.2), start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        expected = -0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        assert adam.update(w, np.array([g]), 0.01)[0] == pytest.approx(expected, rel=1e-10)


def test_decoupled_decay_pulls_on_the_weights_and_not_on_the_moments():
    w, g = np.array([2.0]), np.array([0.5])
    with_decay = Adam(weight_decay=0.1).update(w, g, 0.01)
    assert with_decay[0] - Adam().update(w, g, 0.01)[0] == pytest.approx(-0.01 * 0.1 * 2.0)


def test_plain_adam_refuses_a_weight_decay():
    with pytest.raises(ValueError, match="adamw"):
        make_optimizer("adam", 0.1)


def test_he_initialization_keeps_the_variance_through_relus():
    network = mlp((256, 256, 256, 1), np.random.default_rng(0), dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(500, 256))
    for layer in network.layers[:4]:
        x, _ = layer.forward(x)
    assert np.mean(x**2) == pytest.approx(1.0, rel=0.25)


def test_dead_units_are_counted_per_layer():
    dead = Linear(np.array([[1.0, -1.0, 0.0]]), np.array([0.0, 0.0, -1.0]))
    found = dead_units(Network([dead, ReLU()]), np.array([[1.0], [2.0]]))
    assert [(layer.name, layer.dead_ratio) for layer in found] == [("1", pytest.approx(2 / 3))]
