"""Tests of `model.nn.network`."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from model.nn.activations import ACTIVATIONS, LeakyReLU
from model.nn.diagnostics.gradient_check import check_gradients
from model.nn.initializers import INITIALIZERS
from model.nn.layers import Dropout, Linear
from model.nn.losses import MSE, BCEWithLogits
from model.nn.network import CHUNK_ROWS, Network, is_weight, mlp

pytestmark = pytest.mark.unit


def test_backward_of_a_single_layer_matches_hand_calculation():
    # z = 1*2 + 3*(-1) + 0.5 = -0.5; a = sigmoid(-0.5); dz = a - 1; dW = x dz; db = dz
    network = Network([Linear(np.array([[2.0], [-1.0]]), np.array([0.5]))])
    z, caches = network.forward(np.array([[1.0, 3.0]]))
    loss, dz = BCEWithLogits()(z, np.array([[1.0]]))
    a = 1 / (1 + np.exp(0.5))
    assert loss == pytest.approx(-np.log(a))
    input_gradient, gradients = network.backward(dz, caches)
    assert gradients["0.weight"].ravel() == pytest.approx([a - 1, 3 * (a - 1)])
    assert gradients["0.bias"] == pytest.approx([a - 1])
    assert input_gradient.ravel() == pytest.approx([2 * (a - 1), -(a - 1)])


def test_parameters_are_views_with_weights_before_biases():
    network = mlp((3, 4, 2), np.random.default_rng(0))
    network.flat[:] = np.arange(network.flat.size)
    assert network.names == ("0.weight", "0.bias", "2.weight", "2.bias")
    # 12 + 8 weights, then 4 + 2 biases
    assert network.weight_count == 20
    assert network.parameters()["2.bias"].tolist() == [24.0, 25.0]
    assert network.layers[2].weight.ravel().tolist() == list(range(12, 20))
    assert network.parameter_slice("0.bias") == slice(20, 24)


def test_weights_are_the_parameters_named_weight():
    names = ("0.weight", "12.weight", "0.bias", "0.scale", "0.prior_weight")
    assert [is_weight(name) for name in names] == [True, True, False, False, False]


def test_network_accepts_parameterless_layers_in_any_position():
    rng = np.random.default_rng(7)
    first, second = (Linear(rng.normal(size=(4, 4)), rng.normal(size=4)) for _ in range(2))
    tanh, leaky = ACTIVATIONS["tanh"](), LeakyReLU()
    network = Network([Dropout(0.2), tanh, leaky, first, tanh, leaky, Dropout(0.2), second, tanh])
    x, y = rng.normal(size=(9, 4)), rng.normal(size=(9, 4))
    assert max(check_gradients(network, MSE(), x, y, seed=1).values()) <= 1e-6


def test_layer_widths_name_the_layer_that_does_not_fit():
    network = Network([Linear(np.zeros((3, 4)), np.zeros(4)), Dropout(0.5), Linear(np.zeros((5, 1)), np.zeros(1))])
    with pytest.raises(ValueError, match="layer 2"):
        network.layer_widths(3)
    assert mlp((3, 4, 1), np.random.default_rng(0)).layer_widths(3) == [4, 4, 1]


def test_prediction_of_a_row_is_independent_of_the_other_rows():
    network = mlp((4, 8, 2), np.random.default_rng(0), dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(50, 4))
    assert network.predict(x)[7] == pytest.approx(network.predict(x[7:8])[0], rel=1e-12)


@pytest.mark.parametrize("rows", [0, 1, 2, CHUNK_ROWS, CHUNK_ROWS + 1, 3 * CHUNK_ROWS + 7])
def test_predict_handles_any_number_of_rows(rows):
    network = mlp((4, 8, 2), np.random.default_rng(0), dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(rows, 4))
    logits = network.predict(x)
    assert logits.shape == (rows, 2)
    for i in range(0, rows, 311):
        assert logits[i] == pytest.approx(network.predict(x[i : i + 1])[0], rel=1e-12)


def test_predict_is_thread_safe():
    network = mlp((16, 64, 32, 1), np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(3000, 16)).astype(np.float32)
    expected = network.predict(x)
    with ThreadPoolExecutor(8) as pool:
        assert all(np.array_equal(z, expected) for z in pool.map(lambda _: network.predict(x), range(32)))


def test_predict_allocates_its_result_and_a_single_chunk():
    network = mlp((16, 64, 1), np.random.default_rng(0))
    x = np.zeros((200_000, 16), np.float32)
    network.predict(x[: CHUNK_ROWS + 1])
    tracemalloc.start()
    network.predict(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * len(x) + 4 * 4 * 64 * CHUNK_ROWS


def test_predict_of_single_rows_does_not_leak_memory():
    network = mlp((16, 64, 1), np.random.default_rng(0))
    x = np.zeros((1, 16), np.float32)
    network.predict(x)
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    for _ in range(1000):
        network.predict(x)
    growth = sum(difference.size_diff for difference in tracemalloc.take_snapshot().compare_to(before, "filename"))
    tracemalloc.stop()
    assert growth < 20_000


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_attributions_add_up_to_the_difference_of_the_outputs(activation):
    rng = np.random.default_rng(3)
    network = mlp((6, 16, 8, 3), rng, activation=activation, dropout=0.2, dtype=np.float64)
    x, reference = rng.normal(size=6), rng.normal(size=6)
    difference = network.predict(x[None])[0] - network.predict(reference[None])[0]
    assert network.attribute(x, reference).sum(axis=1) == pytest.approx(difference, rel=1e-9)


def test_attribution_of_an_unchanged_input_is_zero():
    network = mlp((3, 8, 1), np.random.default_rng(0), dtype=np.float64)
    assert network.attribute(np.array([1.0, 0.0, 2.0]), np.zeros(3))[0, 1] == 0


@pytest.mark.parametrize(("activation", "initializer"), [("relu", "he_normal"), ("tanh", "xavier_normal")])
def test_mlp_selects_the_initializer_for_the_activation(activation, initializer):
    network = mlp((5, 7, 2), np.random.default_rng(0), activation=activation)
    expected = INITIALIZERS[initializer](5, 7, np.random.default_rng(0)).astype(np.float32)
    assert np.array_equal(network.parameters()["0.weight"], expected)


def test_mlp_parameters_start_at_a_cache_line():
    assert mlp((3, 4, 1), np.random.default_rng(0)).flat.ctypes.data % 64 == 0


@pytest.mark.parametrize(
    ("sizes", "settings"),
    [
        ((3,), {}),
        ((3, 0, 1), {}),
        ((2, 3, 1), {"activation": "swish"}),
        ((2, 3, 1), {"initializer": "magic"}),
        ((2, 3, 1), {"dropout": 1.5}),
        ((2, 1), {"dtype": np.int64}),
    ],
)
def test_mlp_rejects_invalid_arguments(sizes, settings):
    with pytest.raises(ValueError, match=r"sizes|activation|initializer|rate|dtype"):
        mlp(sizes, np.random.default_rng(0), **settings)
