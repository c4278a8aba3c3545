"""Serialization of networks: layer descriptions and parameters in an npz archive."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np

from model.array_types import Floats
from model.errors import SerializationError
from model.nn.activations import ACTIVATIONS
from model.nn.layers import Dropout, Layer, Linear
from model.nn.network import Network
from model.npz import MALFORMED, pack, unpack

FORMAT = 2
"""Newest format number of networks and checkpoints; older formats remain loadable."""

NETWORK = "network."
"""Prefix of the array names in the archive of a single network."""


def dump_network(network: Network) -> bytes:
    """Serialize a network; equal networks give equal bytes.

    Raises:
        SerializationError: the network has no Linear layer, a layer of an unknown class, parameters that are not
            finite, or too many parameters.
    """
    if not any(isinstance(layer, Linear) for layer in network.layers):
        raise SerializationError("a network without a Linear layer cannot be stored")
    require_finite(network.flat)
    header = {
        "format": FORMAT,
        "kind": "network",
        "layers": [describe_layer(layer) for layer in network.layers],
    }
    return pack(header, named_arrays(network, NETWORK))


def load_network(blob: bytes) -> Network:
    """Deserialize a network.

    Raises:
        SerializationError: the bytes are not a serialized network, or the network is damaged or has a newer format.
    """
    header, arrays = unpack(blob, "network", FORMAT)
    try:
        network = build_network(header["layers"], arrays, NETWORK)
        first = next(layer for layer in network.layers if isinstance(layer, Linear))
        network.layer_widths(first.weight.shape[0])
    except (*MALFORMED, StopIteration) as error:
        raise SerializationError(f"not a network of monitor: {error}") from error
    require_finite(network.flat)
    return network


def named_arrays(network: Network, prefix: str) -> dict[str, Floats]:
    """Return the parameters of a network; the key of each is `prefix` followed by the parameter name."""
    return {f"{prefix}{name}": value for name, value in network.parameters().items()}


def describe_layer(layer: Layer) -> list[Any]:
    """Describe a layer for the JSON header: type name, then the settings, without parameter arrays.

    An activation is described by its name in ACTIVATIONS and its dataclass fields.

    Raises:
        SerializationError: the class of the layer is unknown.
    """
    match layer:
        case Linear():
            return ["linear"]
        case Dropout():
            return ["dropout", float(layer.rate)]
    for name, kind in ACTIVATIONS.items():
        if type(layer) is kind:
            return [name, *astuple(layer)]  # type: ignore[call-overload]
    raise SerializationError(f"a layer of class {type(layer).__name__} cannot be stored")


def _build_layer(description: list[Any], name: str, arrays: dict[str, Floats]) -> Layer:
    """Build a layer from its description; its parameters are `arrays["<name>.<parameter>"]`."""
    match description:
        case ["linear"]:
            return Linear(arrays[f"{name}.weight"], arrays[f"{name}.bias"])
        case ["dropout", float(rate)]:
            return Dropout(rate)
        case [str(kind), *settings] if kind in ACTIVATIONS:
            return ACTIVATIONS[kind](*settings)
    raise SerializationError(f"layer {name} has an unknown description: {description}")


def build_network(descriptions: list[Any], arrays: dict[str, Floats], prefix: str) -> Network:
    """Build a network from layer descriptions and arrays.

    Args:
        descriptions: layer descriptions from `describe_layer`.
        arrays: parameters by prefixed name, possibly next to arrays with other prefixes.
        prefix: prefix of the names of this network's parameters.

    Raises:
        SerializationError: a description is unknown, the parameters do not share one floating-point dtype, or an
            array with the prefix belongs to no layer.
        KeyError: a parameter is missing.
        TypeError: a layer has a wrong number of settings, or a setting of the wrong type.
        ValueError: a setting of a layer is out of range.
    """
    layers = [_build_layer(description, f"{prefix}{i}", arrays) for i, description in enumerate(descriptions)]
    dtypes = {value.dtype for layer in layers for value in layer.parameters().values()}
    if len(dtypes) != 1 or dtypes.pop().kind != "f":
        raise SerializationError("the network's parameters do not share one floating-point dtype")
    network = Network(layers)
    network_arrays = {name for name in arrays if name.startswith(prefix)}
    extra = network_arrays - {f"{prefix}{name}" for name in network.names}
    if extra:
        raise SerializationError(f"arrays {', '.join(sorted(extra))} belong to no layer")
    return network


def require_finite(*arrays: Floats) -> None:
    """Raise SerializationError if an array contains NaN or infinity."""
    if not all(np.isfinite(values).all() for values in arrays):
        raise SerializationError("the model contains numbers that are not finite")
