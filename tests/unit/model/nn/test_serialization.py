"""Tests of `model.nn.serialization`."""

from pathlib import Path

import numpy as np
import pytest

from model.errors import SerializationError, SerializationProblem
from model.nn.activations import ACTIVATIONS, LeakyReLU, Tanh
from model.nn.layers import Dropout, Linear
from model.nn.network import Network, mlp
from model.nn.serialization import describe_layer, dump_network, load_network
from model.npz import pack

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[3] / "golden" / "nn"
LINEAR = {"network.0.weight": np.zeros((2, 1)), "network.0.bias": np.zeros(1)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_network_is_unchanged_after_a_round_trip(activation, dtype):
    network = mlp((3, 5, 2), np.random.default_rng(0), activation=activation, dropout=0.25, dtype=dtype)
    restored = load_network(dump_network(network))
    assert restored.flat.tobytes() == network.flat.tobytes()
    assert [type(layer) for layer in restored.layers] == [type(layer) for layer in network.layers]
    assert restored.layers[1] == network.layers[1]
    assert restored.layers[2] == Dropout(0.25)
    assert dump_network(restored) == dump_network(network)


@pytest.mark.parametrize("layer", [LeakyReLU(0.2), Dropout(0)])
def test_settings_of_a_layer_are_restored(layer):
    network = Network([Linear(np.zeros((1, 1)), np.zeros(1)), layer])
    assert load_network(dump_network(network)).layers[1] == layer


def test_network_of_release_0_1_is_readable():
    network = load_network((GOLDEN / "network-0.1.npz").read_bytes())
    assert [type(layer) for layer in network.layers] == [Linear, LeakyReLU, Dropout, Linear]
    assert network.layer_widths(2) == [4, 4, 4, 1]


@pytest.mark.parametrize(
    ("layers", "arrays"),
    [
        ([["conv"]], {}),
        ([["linear"]], {"network.0.weight": np.zeros((2, 1)), "network.0.bias": np.zeros(3)}),
        ([["linear"]], {**LINEAR, "network.0.bias": np.zeros(1, np.float32)}),
        ([["linear"]], {name: value.astype(np.uint8) for name, value in LINEAR.items()}),
        ([["linear"]], {**LINEAR, "network.0.weight": np.full((2, 1), np.nan)}),
        ([["linear"]], {**LINEAR, "network.1.weight": np.zeros(3)}),
        ([["linear"]], {}),
    ],
    ids=["unknown layer", "shapes", "mixed types", "integers", "NaN", "extra array", "missing arrays"],
)
def test_load_network_rejects_inconsistent_content(layers, arrays):
    with pytest.raises(SerializationError) as raised:
        load_network(pack({"format": 1, "kind": "network", "layers": layers}, arrays))
    assert raised.value.problem is SerializationProblem.CONTENT


@pytest.mark.parametrize(
    ("network", "problem"),
    [
        (lambda: mlp((2100, 8000), np.random.default_rng(0)), SerializationProblem.TOO_LARGE),
        (
            lambda: Network([Linear(np.zeros((2, 1), np.float16), np.zeros(1, np.float16))]),
            SerializationProblem.CONTENT,
        ),
        (lambda: Network([Dropout(0.5)]), SerializationProblem.CONTENT),
        (lambda: Network([Linear(np.full((2, 1), np.nan), np.zeros(1))]), SerializationProblem.CONTENT),
    ],
    ids=["too large", "float16", "no linear layer", "NaN"],
)
def test_dump_network_rejects_networks_that_could_not_be_loaded(network, problem):
    with pytest.raises(SerializationError) as raised:
        dump_network(network())
    assert raised.value.problem is problem


def test_describe_layer_rejects_unknown_classes():
    class Swish(Tanh):
        pass

    with pytest.raises(SerializationError, match="Swish"):
        describe_layer(Swish())
