"""Predictors, networks and checkpoints as bytes, and back."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import numpy as np

from model.activations import ACTIVATIONS
from model.archive import pack, unpack
from model.arrays import Floats
from model.calibration import Calibration
from model.checkpoint import Checkpoint
from model.ensemble import Ensemble
from model.errors import SerializationError
from model.features import FeatureSpec
from model.labels import Rules
from model.layers import Dropout, Layer, Linear
from model.network import Network
from model.predictor import Predictor, Scaler

FORMAT = 1

NETWORK, REHEARSAL = "network.", "rehearsal."
"""What the names of arrays begin with: of a network alone, and of a predictor's twin."""


def dumps(predictor: Predictor) -> bytes:
    """The same predictor gives the same bytes."""
    header, arrays = _taken_apart(predictor, "")
    twin = predictor.rehearsal
    if twin is not None:
        header["rehearsal"], more = _taken_apart(twin, REHEARSAL)
        arrays |= more
    return pack({"format": FORMAT, "kind": "model", "spec": _described(predictor.spec), **header}, arrays)


def loads(blob: bytes, *, rehearsal: bool = False) -> Predictor:
    """The predictor of `dumps`.

    Args:
        blob: its bytes.
        rehearsal: whether its twin is wanted too; serving does without.

    Raises:
        SerializationError: not a model, a damaged one, or one of a newer format.
    """
    header, arrays = unpack(blob, "model", FORMAT)
    try:
        spec = _spec(header["spec"])
        predictor = _assemble(spec, header, arrays, "")
        if rehearsal and "rehearsal" in header:
            predictor = replace(predictor, rehearsal=_assemble(spec, header["rehearsal"], arrays, REHEARSAL))
        return predictor
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
    return pack(header, _arrays(network, NETWORK))


def load_network(blob: bytes) -> Network:
    """The network of `dump_network`.

    Raises:
        SerializationError: not a network, a damaged one, or one of a newer format.
    """
    header, arrays = unpack(blob, "network", FORMAT)
    try:
        network = _network(header["layers"], arrays, NETWORK)
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


def _arrays(network: Network, prefix: str) -> dict[str, Floats]:
    return {f"{prefix}{name}": value for name, value in network.parameters().items()}


def _taken_apart(predictor: Predictor, prefix: str) -> tuple[dict[str, Any], dict[str, Floats]]:
    """What is told of a predictor beside its features, and its arrays."""
    arrays = {f"{prefix}scaler.mean": predictor.scaler.mean, f"{prefix}scaler.deviation": predictor.scaler.deviation}
    networks = []
    for i, (network, columns) in enumerate(zip(predictor.ensemble.networks, predictor.ensemble.columns, strict=True)):
        arrays |= _arrays(network, f"{prefix}network.{i}.")
        networks.append({"layers": [_describe(layer) for layer in network.layers], "columns": columns.tolist()})
    told = {
        "networks": networks,
        "horizons": predictor.horizons,
        "calibrations": [[c.slope, c.intercept] for c in predictor.calibrations],
        "base_rates": predictor.base_rates,
        "thresholds": predictor.thresholds,
    }
    return told, arrays


def _described(spec: FeatureSpec) -> dict[str, Any]:
    return {
        "columns": spec.columns,
        "inputs": spec.inputs,
        "logarithmic": spec.logarithmic,
        "windows": spec.windows,
        "step": spec.step,
        "horizons": spec.horizons,
        "seasonal": spec.seasonal,
        "rules": spec.rules.rules,
        "sustained": spec.rules.sustained,
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


def _layer(described: list[Any], name: str, arrays: dict[str, Floats]) -> Layer:
    match described:
        case ["linear"]:
            return Linear(arrays[f"{name}.weight"], arrays[f"{name}.bias"])
        case ["dropout", float(rate)]:
            return Dropout(rate)
        case [str(kind), *settings] if kind in ACTIVATIONS:
            return ACTIVATIONS[kind](*settings)
    raise SerializationError(f"layer {name} is of an unknown kind: {described}")


def _network(described: list[Any], arrays: dict[str, Floats], prefix: str) -> Network:
    layers = [_layer(layer, f"{prefix}{i}", arrays) for i, layer in enumerate(described)]
    dtypes = {value.dtype for layer in layers for value in layer.parameters().values()}
    if len(dtypes) != 1 or dtypes.pop().kind != "f":
        raise SerializationError("the network's arrays are not of one type of floats")
    network = Network(layers)
    strange = {name for name in arrays if name.startswith(prefix)} - {f"{prefix}{name}" for name in network.names}
    if strange:
        raise SerializationError(f"no layer has {', '.join(sorted(strange))}")
    return network


def _spec(raw: dict[str, Any]) -> FeatureSpec:
    rules = Rules(
        tuple(tuple((str(metric), bound) for metric, bound in rule) for rule in raw["rules"]),
        raw["sustained"],
    )
    return FeatureSpec(
        tuple(raw["columns"]),
        tuple(raw["inputs"]),
        tuple(raw["logarithmic"]),
        rules,
        tuple(raw["windows"]),
        raw["step"],
        tuple(raw["horizons"]),
        raw["seasonal"],
    )


def _assemble(spec: FeatureSpec, told: dict[str, Any], arrays: dict[str, Floats], prefix: str) -> Predictor:
    networks = tuple(
        _network(entry["layers"], arrays, f"{prefix}network.{i}.") for i, entry in enumerate(told["networks"])
    )
    columns = tuple(np.array(entry["columns"], dtype=np.intp) for entry in told["networks"])
    predictor = Predictor(
        spec,
        tuple(told["horizons"]),
        Scaler(arrays[f"{prefix}scaler.mean"], arrays[f"{prefix}scaler.deviation"]),
        Ensemble(networks, columns),
        tuple(Calibration(slope, intercept) for slope, intercept in told["calibrations"]),
        tuple(told["base_rates"]),
        tuple(told["thresholds"]),
    )
    _check(predictor)
    return predictor


def _check(predictor: Predictor) -> None:
    """A model that fits together and is finite: never NaN weights that serve."""
    features, horizons = len(predictor.spec.names), len(predictor.horizons)
    ensemble = predictor.ensemble
    if not ensemble.networks:
        raise SerializationError("the model has no network")
    lengths = {len(predictor.calibrations), len(predictor.base_rates), len(predictor.thresholds)}
    for network, columns in zip(ensemble.networks, ensemble.columns, strict=True):
        if columns.ndim != 1 or not ((columns >= 0) & (columns < features)).all():
            raise SerializationError(f"a network looks at features that are not among the {features}")
        lengths.add(network.widths(len(columns))[-1])
        _check_finite(network.flat)
    if lengths != {horizons}:
        raise SerializationError(f"{horizons} horizons, but outputs or figures for {sorted(lengths)}")
    if predictor.scaler.mean.shape != (features,) or predictor.scaler.deviation.shape != (features,):
        raise SerializationError(f"the scaler does not fit the {features} features")
    _check_finite(predictor.scaler.mean, predictor.scaler.deviation)


def _check_finite(*arrays: Floats) -> None:
    if not all(np.isfinite(values).all() for values in arrays):
        raise SerializationError("the model holds numbers that are not finite")
