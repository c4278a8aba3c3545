"""Networks and checkpoints as bytes, and back."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np

from model.array_types import Floats
from model.errors import SerializationError
from model.nn.activations import ACTIVATIONS
from model.nn.checkpoint import Checkpoint
from model.nn.layers import Dropout, Layer, Linear
from model.nn.network import Network
from model.npz import pack, unpack

FORMAT = 2
"""Of all that is kept."""

NETWORK = "network."
"""What the names of arrays begin with, of a network alone."""


def dump_network(network: Network) -> bytes:
    """A network alone; the same one gives the same bytes.

    Raises:
        SerializationError: it cannot be kept: a layer of a kind of one's own, numbers that are not finite, too many.
    """
    if not any(isinstance(layer, Linear) for layer in network.layers):
        raise SerializationError("a network without a Linear layer cannot be kept")
    require_finite(network.flat)
    header = {
        "format": FORMAT,
        "kind": "network",
        "layers": [describe_layer(layer) for layer in network.layers],
    }
    return pack(header, named_arrays(network, NETWORK))


def load_network(blob: bytes) -> Network:
    """The network of `dump_network`.

    Raises:
        SerializationError: not a network, a damaged one, or one of a newer format.
    """
    header, arrays = unpack(blob, "network", FORMAT)
    try:
        network = build_network(header["layers"], arrays, NETWORK)
        first = next(layer for layer in network.layers if isinstance(layer, Linear))
        network.layer_widths(first.weight.shape[0])
    except (ValueError, KeyError, TypeError, IndexError, StopIteration) as error:
        raise SerializationError(f"not a network of monitor: {error}") from error
    require_finite(network.flat)
    return network


def dump_checkpoint(checkpoint: Checkpoint) -> bytes:
    """A training between two epochs."""
    return pack({"format": FORMAT, "kind": "checkpoint", "facts": checkpoint.facts}, checkpoint.arrays)


def load_checkpoint(blob: bytes) -> Checkpoint:
    """The checkpoint of `dump_checkpoint`.

    Raises:
        SerializationError: not a checkpoint, a damaged one, or one of a newer format.
    """
    header, arrays = unpack(blob, "checkpoint", FORMAT)
    if not isinstance(header.get("facts"), dict):
        raise SerializationError("not a checkpoint of monitor: it holds no facts")
    return Checkpoint(arrays, header["facts"])


def named_arrays(network: Network, prefix: str) -> dict[str, Floats]:
    """Its parameters, by names that begin with `prefix`."""
    return {f"{prefix}{name}": value for name, value in network.parameters().items()}


def describe_layer(layer: Layer) -> list[Any]:
    """A layer without its arrays, as JSON can hold it.

    Raises:
        SerializationError: it is of a kind of one's own.
    """
    match layer:
        case Linear():
            return ["linear"]
        case Dropout():
            return ["dropout", float(layer.rate)]
    for name, kind in ACTIVATIONS.items():
        if type(layer) is kind:
            return [name, *astuple(layer)]  # type: ignore[call-overload]
    raise SerializationError(f"a {type(layer).__name__} layer cannot be kept")


def _layer(described: list[Any], name: str, arrays: dict[str, Floats]) -> Layer:
    match described:
        case ["linear"]:
            return Linear(arrays[f"{name}.weight"], arrays[f"{name}.bias"])
        case ["dropout", float(rate)]:
            return Dropout(rate)
        case [str(kind), *settings] if kind in ACTIVATIONS:
            return ACTIVATIONS[kind](*settings)
    raise SerializationError(f"layer {name} is of an unknown kind: {described}")


def build_network(layers_described: list[Any], arrays: dict[str, Floats], prefix: str) -> Network:
    """The network of some descriptions, and of those arrays whose names begin with `prefix`.

    Raises:
        SerializationError: they do not make one.
    """
    layers = [_layer(layer, f"{prefix}{i}", arrays) for i, layer in enumerate(layers_described)]
    dtypes = {value.dtype for layer in layers for value in layer.parameters().values()}
    if len(dtypes) != 1 or dtypes.pop().kind != "f":
        raise SerializationError("the network's arrays are not of one type of floats")
    network = Network(layers)
    strange = {name for name in arrays if name.startswith(prefix)} - {f"{prefix}{name}" for name in network.names}
    if strange:
        raise SerializationError(f"no layer has {', '.join(sorted(strange))}")
    return network


def require_finite(*arrays: Floats) -> None:
    """Raises SerializationError where a number is not finite."""
    if not all(np.isfinite(values).all() for values in arrays):
        raise SerializationError("the model holds numbers that are not finite")
