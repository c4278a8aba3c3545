"""Predictors, networks and checkpoints as bytes, and back."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np

from model.activations import ACTIVATIONS
from model.archive import pack, unpack
from model.arrays import Floats
from model.calibration import Calibration
from model.checkpoint import Checkpoint
from model.errors import SerializationError
from model.features import FeatureSpec
from model.labels import Rules
from model.layers import Dropout, Layer, Linear
from model.network import Network
from model.predictor import Predictor, Scaler

FORMAT = 1


def dumps(predictor: Predictor) -> bytes:
    """The same predictor gives the same bytes."""
    arrays = {"scaler.mean": predictor.scaler.mean, "scaler.deviation": predictor.scaler.deviation}
    return pack(_header(predictor), arrays | _arrays(predictor.network))


def loads(blob: bytes) -> Predictor:
    """The predictor of `dumps`.

    Raises:
        SerializationError: not a model, a damaged one, or one of a newer format.
    """
    header, arrays = unpack(blob, "model", FORMAT)
    try:
        return _assemble(header, arrays)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise SerializationError(f"not a model of monitor: {error}") from error


def dump_network(network: Network) -> bytes:
    """A network alone; the same one gives the same bytes.

    Raises:
        SerializationError: it cannot be kept: a layer of a kind of one's own, numbers that are not finite, too many.
    """
    if not any(isinstance(layer, Linear) for layer in network.layers):
        raise SerializationError("a network without a Linear layer cannot be kept")
    _check_finite(network.flat)
    header = {"format": FORMAT, "kind": "network", "layers": [_describe(layer) for layer in network.layers]}
    return pack(header, _arrays(network))


def load_network(blob: bytes) -> Network:
    """The network of `dump_network`.

    Raises:
        SerializationError: not a network, a damaged one, or one of a newer format.
    """
    header, arrays = unpack(blob, "network", FORMAT)
    try:
        network = _network(header["layers"], arrays)
        first = next(layer for layer in network.layers if isinstance(layer, Linear))
        network.widths(first.weight.shape[0])
    except (ValueError, KeyError, TypeError, IndexError, StopIteration) as error:
        raise SerializationError(f"not a network of monitor: {error}") from error
    _check_finite(network.flat)
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


def _arrays(network: Network) -> dict[str, Floats]:
    return {f"network.{name}": value for name, value in network.parameters().items()}


def _header(predictor: Predictor) -> dict[str, Any]:
    spec = predictor.spec
    return {
        "format": FORMAT,
        "kind": "model",
        "layers": [_describe(layer) for layer in predictor.network.layers],
        "spec": {
            "columns": spec.columns,
            "inputs": spec.inputs,
            "logarithmic": spec.logarithmic,
            "windows": spec.windows,
            "step": spec.step,
            "clock": spec.clock,
            "rules": spec.rules.rules,
            "sustained": spec.rules.sustained,
        },
        "horizons": predictor.horizons,
        "calibrations": [[c.slope, c.intercept] for c in predictor.calibrations],
        "base_rates": predictor.base_rates,
        "thresholds": predictor.thresholds,
    }


def _describe(layer: Layer) -> list[Any]:
    match layer:
        case Linear():
            return ["linear"]
        case Dropout():
            return ["dropout", float(layer.rate)]
    for name, kind in ACTIVATIONS.items():
        if type(layer) is kind:
            return [name, *astuple(layer)]  # type: ignore[call-overload]
    raise SerializationError(f"a {type(layer).__name__} layer cannot be kept")


def _layer(described: list[Any], index: int, arrays: dict[str, Floats]) -> Layer:
    match described:
        case ["linear"]:
            return Linear(arrays[f"network.{index}.weight"], arrays[f"network.{index}.bias"])
        case ["dropout", float(rate)]:
            return Dropout(rate)
        case [str(name), *settings] if name in ACTIVATIONS:
            return ACTIVATIONS[name](*settings)
    raise SerializationError(f"layer {index} is of an unknown kind: {described}")


def _network(described: list[Any], arrays: dict[str, Floats]) -> Network:
    layers = [_layer(layer, i, arrays) for i, layer in enumerate(described)]
    dtypes = {value.dtype for layer in layers for value in layer.parameters().values()}
    if len(dtypes) != 1 or dtypes.pop().kind != "f":
        raise SerializationError("the network's arrays are not of one type of floats")
    network = Network(layers)
    strange = {name for name in arrays if name.startswith("network.")} - {f"network.{name}" for name in network.names}
    if strange:
        raise SerializationError(f"no layer has {', '.join(sorted(strange))}")
    return network


def _assemble(header: dict[str, Any], arrays: dict[str, Floats]) -> Predictor:
    raw = header["spec"]
    rules = Rules(
        tuple(tuple((str(metric), bound) for metric, bound in rule) for rule in raw["rules"]),
        raw["sustained"],
    )
    spec = FeatureSpec(
        tuple(raw["columns"]),
        tuple(raw["inputs"]),
        tuple(raw["logarithmic"]),
        rules,
        tuple(raw["windows"]),
        raw["step"],
        raw["clock"],
    )
    network = _network(header["layers"], arrays)
    scaler = Scaler(arrays["scaler.mean"], arrays["scaler.deviation"])
    predictor = Predictor(
        spec,
        tuple(header["horizons"]),
        scaler,
        network,
        tuple(Calibration(slope, intercept) for slope, intercept in header["calibrations"]),
        tuple(header["base_rates"]),
        tuple(header["thresholds"]),
    )
    _check(predictor)
    return predictor


def _check(predictor: Predictor) -> None:
    """A model that fits together and is finite: never NaN weights that serve."""
    features, horizons = len(predictor.spec.names), len(predictor.horizons)
    width = predictor.network.widths(features)[-1]
    lengths = {len(predictor.calibrations), len(predictor.base_rates), len(predictor.thresholds), width}
    if lengths != {horizons}:
        raise SerializationError(f"{horizons} horizons, but outputs or figures for {sorted(lengths)}")
    if predictor.scaler.mean.shape != (features,) or predictor.scaler.deviation.shape != (features,):
        raise SerializationError(f"the scaler does not fit the {features} features")
    _check_finite(predictor.network.flat, predictor.scaler.mean, predictor.scaler.deviation)


def _check_finite(*arrays: Floats) -> None:
    if not all(np.isfinite(values).all() for values in arrays):
        raise SerializationError("the model holds numbers that are not finite")
