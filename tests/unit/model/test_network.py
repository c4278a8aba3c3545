"""The network's algebra is right, and prediction touches nothing."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from model.nn.activations import ACTIVATIONS
from model.nn.layers import Dropout, Linear
from model.nn.losses import BCEWithLogits
from model.nn.network import CHUNK_ROWS, Network, mlp

pytestmark = pytest.mark.unit


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
    gradients = network.backward(dz, caches)
    assert gradients["0.weight"].ravel() == pytest.approx([a - 1, 3 * (a - 1)])
    assert gradients["0.bias"] == pytest.approx([a - 1])


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
    # the weights before the biases: 12 + 8, then 4 + 2
    assert network.weight_count == 20
    assert network.parameters()["2.bias"].tolist() == [24.0, 25.0]
    assert network.layers[2].weight.ravel().tolist() == list(range(12, 20))


def test_prediction_of_a_row_does_not_depend_on_its_company():
    network = mlp((4, 8, 2), np.random.default_rng(0), dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(50, 4))
    assert network.predict(x)[7] == pytest.approx(network.predict(x[7:8])[0], rel=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_attribution_adds_up_to_the_difference_of_the_outputs(activation):
    rng = np.random.default_rng(3)
    network = mlp((6, 16, 8, 3), rng, activation=activation, dropout=0.2, dtype=np.float64)
    x, reference = rng.normal(size=6), rng.normal(size=6)
    difference = network.predict(x[None])[0] - network.predict(reference[None])[0]
    assert network.attribute(x, reference).sum(axis=1) == pytest.approx(difference, rel=1e-9)


def test_attribution_gives_nothing_to_an_input_that_did_not_move():
    network = mlp((3, 8, 1), np.random.default_rng(0), dtype=np.float64)
    assert network.attribute(np.array([1.0, 0.0, 2.0]), np.zeros(3))[0, 1] == 0


def test_he_initialization_keeps_the_variance_through_relus():
    network = mlp((256, 256, 256, 1), np.random.default_rng(0), dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(500, 256))
    for layer in network.layers[:4]:
        x, _ = layer.forward(x)
    assert np.mean(x**2) == pytest.approx(1.0, rel=0.25)


@pytest.mark.parametrize("rows", [0, 1, 2, CHUNK_ROWS, CHUNK_ROWS + 1, 3 * CHUNK_ROWS + 7])
def test_any_number_of_rows_is_predicted_as_row_by_row(rows):
    network = mlp((4, 8, 2), np.random.default_rng(0), dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(rows, 4))
    found = network.predict(x)
    assert found.shape == (rows, 2)
    for i in range(0, rows, 311):
        assert found[i] == pytest.approx(network.predict(x[i : i + 1])[0], rel=1e-12)


def test_prediction_in_many_threads_gives_what_one_gives():
    network = mlp((16, 64, 32, 1), np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(3000, 16)).astype(np.float32)
    expected = network.predict(x)
    with ThreadPoolExecutor(8) as pool:
        assert all(np.array_equal(z, expected) for z in pool.map(lambda _: network.predict(x), range(32)))


def test_prediction_needs_memory_for_its_answer_and_one_chunk_alone():
    network = mlp((16, 64, 1), np.random.default_rng(0))
    x = np.zeros((200_000, 16), np.float32)
    network.predict(x[: CHUNK_ROWS + 1])
    tracemalloc.start()
    network.predict(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * len(x) + 4 * 4 * 64 * CHUNK_ROWS


def test_a_single_row_is_predicted_without_memory_that_grows():
    network, x = mlp((16, 64, 1), np.random.default_rng(0)), np.zeros((1, 16), np.float32)
    network.predict(x)
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    for _ in range(1000):
        network.predict(x)
    grown = sum(difference.size_diff for difference in tracemalloc.take_snapshot().compare_to(before, "filename"))
    tracemalloc.stop()
    assert grown < 20_000
