"""A predictor as bytes, and back.

A NumPy archive with a JSON header: readable without this code, and nothing in it is ever executed. Every byte
that counts is under a checksum, for one flipped bit passes a database's own integrity check.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import numpy as np

from model.arrays import Floats
from model.calibration import Calibration
from model.errors import SerializationError
from model.features import FeatureSpec
from model.labels import Rules
from model.layers import Dropout, Layer, Linear, ReLU
from model.network import Network
from model.predictor import Predictor, Scaler

FORMAT = 1
LARGEST_BYTES = 64 * 2**20
"""More than any network of this kind; an archive that claims more is refused before it is unpacked."""


def dumps(predictor: Predictor) -> bytes:
    """The same predictor gives the same bytes."""
    arrays: dict[str, Floats] = {
        "scaler.mean": predictor.scaler.mean,
        "scaler.deviation": predictor.scaler.deviation,
        **{f"network.{name}": value for name, value in predictor.network.parameters().items()},
    }
    header = _header(predictor)
    header["sha256"] = _digest(header, arrays)
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(header, sort_keys=True).encode(), np.uint8)
    np.savez(buffer, header=text, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def loads(blob: bytes) -> Predictor:
    """The predictor of `dumps`.

    Raises:
        SerializationError: not a model, a damaged one, or one of a newer format.
    """
    if len(blob) > LARGEST_BYTES:
        raise SerializationError(f"{len(blob)} bytes are more than a model has (at most {LARGEST_BYTES})")
    try:
        header, arrays = _unpack(blob)
        if header["format"] > FORMAT:
            raise SerializationError(
                f"the model has format {header['format']}, this release reads up to {FORMAT}: upgrade monitor"
            )
        if header.pop("sha256") != _digest(header, arrays):
            raise SerializationError("the model is damaged: its checksum does not match")
        return _assemble(header, arrays)
    except SerializationError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise SerializationError(f"not a model of monitor: {error}") from error


def _unpack(blob: bytes) -> tuple[dict[str, Any], dict[str, Floats]]:
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST_BYTES:
            raise SerializationError(f"the archive unpacks to more than {LARGEST_BYTES} bytes")
    with np.load(io.BytesIO(blob), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(arrays.pop("header").tobytes())
    return header, arrays


def _digest(header: dict[str, Any], arrays: dict[str, Floats]) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(arrays):
        value = arrays[name]
        digest.update(f"{name} {value.dtype.str} {value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def _header(predictor: Predictor) -> dict[str, Any]:
    spec = predictor.spec
    return {
        "format": FORMAT,
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
        case ReLU():
            return ["relu"]
        case Dropout():
            return ["dropout", layer.rate]
    raise SerializationError(f"a {type(layer).__name__} layer cannot be kept")


def _layer(described: list[Any], index: int, arrays: dict[str, Floats]) -> Layer:
    match described:
        case ["linear"]:
            weight, bias = arrays[f"network.{index}.weight"], arrays[f"network.{index}.bias"]
            if weight.ndim != 2 or bias.shape != weight.shape[1:]:
                raise SerializationError(f"layer {index} has weights {weight.shape} and biases {bias.shape}")
            return Linear(weight, bias)
        case ["relu"]:
            return ReLU()
        case ["dropout", float(rate)]:
            return Dropout(rate)
    raise SerializationError(f"layer {index} is of an unknown kind: {described}")


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
    network = Network([_layer(described, i, arrays) for i, described in enumerate(header["layers"])])
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
    width = features
    for index, layer in enumerate(predictor.network.layers):
        if isinstance(layer, Linear):
            if layer.weight.shape[0] != width:
                raise SerializationError(f"layer {index} takes {layer.weight.shape[0]} inputs and is given {width}")
            width = layer.weight.shape[1]
    lengths = {len(predictor.calibrations), len(predictor.base_rates), len(predictor.thresholds), width}
    if lengths != {horizons}:
        raise SerializationError(f"{horizons} horizons, but outputs or figures for {sorted(lengths)}")
    if predictor.scaler.mean.shape != (features,) or predictor.scaler.deviation.shape != (features,):
        raise SerializationError(f"the scaler does not fit the {features} features")
    finite = (predictor.network.flat, predictor.scaler.mean, predictor.scaler.deviation)
    if not all(np.isfinite(values).all() for values in finite):
        raise SerializationError("the model holds numbers that are not finite")
