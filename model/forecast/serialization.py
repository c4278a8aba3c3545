"""Serialization of predictors and of the pretrained model (npz container of `model.npz`).

Key names in the header and array names are those of the first release, so that its models stay readable.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from model.array_types import Floats
from model.errors import SerializationError
from model.features.feature_spec import FeatureSpec
from model.features.labels import Rules
from model.forecast.blend import EXPERTS, HorizonBlend, LoadTable
from model.forecast.calibration import BlendWeights
from model.forecast.ensemble import Ensemble, Scaler
from model.forecast.predictor import Predictor
from model.forecast.pretrained import PretrainedModel
from model.nn.serialization import build_network, describe_layer, named_arrays, require_finite
from model.npz import pack, unpack

FORMAT, OLDEST_FORMAT = 3, 2
"""Formats that are written and read: 3 has the training ranges of the inputs, 2 is for predictors without ranges."""

PREDICTOR_KIND = "model"
PRETRAINED_KIND = "prior"
"""Kinds of content in the header."""

HOLDOUT_MODEL_KEY = "rehearsal"
PRETRAINED_KEY = "prior"
PRETRAINED_WEIGHT_KEY = "prior_share"
BLENDS_KEY = "voices"
LOAD_TABLE_KEY = "worth"
"""Keys of the header; followed by a dot, the first two are prefixes of array names."""

MALFORMED = (ValueError, KeyError, TypeError, IndexError)
"""Exceptions that a header of another content raises while it is read."""


def dumps(predictor: Predictor) -> bytes:
    """Serialize a predictor, with its holdout model; equal predictors yield equal bytes."""
    header, arrays = _describe_predictor(predictor, "")
    if predictor.pretrained is not None:
        header[PRETRAINED_KEY], pretrained_arrays = _describe_ensemble(predictor.pretrained, f"{PRETRAINED_KEY}.")
        arrays |= pretrained_arrays
    if predictor.holdout_model is not None:
        description, holdout_arrays = _describe_predictor(predictor.holdout_model, f"{HOLDOUT_MODEL_KEY}.")
        header[HOLDOUT_MODEL_KEY] = description
        arrays |= holdout_arrays
    spec = _describe_spec(predictor.spec)
    number = OLDEST_FORMAT if predictor.ensemble.scaler.low is None else FORMAT
    return pack({"format": number, "kind": PREDICTOR_KIND, "spec": spec, **header}, arrays)


def loads(blob: bytes, *, holdout_model: bool = False) -> Predictor:
    """Load the predictor that `dumps` serialized.

    Args:
        blob: its bytes.
        holdout_model: load its holdout model too, which serving does not need.

    Raises:
        SerializationError: the bytes are not a model, are damaged, or are of an unsupported format.
    """
    header, arrays = unpack(blob, PREDICTOR_KIND, FORMAT)
    if header["format"] < OLDEST_FORMAT:
        raise SerializationError("the model was made by an earlier release: retrain")
    try:
        spec = _build_spec(header["spec"])
        pretrained = None
        if PRETRAINED_KEY in header:
            pretrained = _build_ensemble(header[PRETRAINED_KEY], arrays, f"{PRETRAINED_KEY}.")
        predictor = _build_predictor(spec, header, arrays, "", pretrained)
        if holdout_model and HOLDOUT_MODEL_KEY in header:
            prefix = f"{HOLDOUT_MODEL_KEY}."
            evaluated = _build_predictor(spec, header[HOLDOUT_MODEL_KEY], arrays, prefix, pretrained)
            predictor = replace(predictor, holdout_model=evaluated)
        return predictor
    except MALFORMED as error:
        raise SerializationError(f"not a model of monitor: {error}") from error


def dumps_pretrained(pretrained: PretrainedModel, provenance: dict[str, Any]) -> bytes:
    """Serialize a pretrained model.

    Args:
        pretrained: the model.
        provenance: plain JSON data on how it was made, for the header.
    """
    columns = (np.arange(len(pretrained.scaler.mean)),) * len(pretrained.networks)
    description, arrays = _describe_ensemble(Ensemble(pretrained.scaler, pretrained.networks, columns), "")
    arrays["base_rates"] = pretrained.base_rates
    header = {"format": OLDEST_FORMAT, "kind": PRETRAINED_KIND, "provenance": provenance, **description}
    return pack(header, arrays)


def loads_pretrained(blob: bytes) -> PretrainedModel:
    """Load the pretrained model that `dumps_pretrained` serialized.

    Raises:
        SerializationError: the bytes are not a pretrained model, are damaged, or are of an unsupported format.
    """
    header, arrays = unpack(blob, PRETRAINED_KIND, FORMAT)
    try:
        ensemble = _build_ensemble(header, arrays, "")
        _check_ensemble(ensemble, len(ensemble.scaler.mean))
        return PretrainedModel(ensemble.scaler, ensemble.networks, arrays["base_rates"])
    except MALFORMED as error:
        raise SerializationError(f"not a pretrained model of monitor: {error}") from error


@cache
def bundled_pretrained_model() -> PretrainedModel:
    """Load the pretrained model of the package once; `data/PRETRAINED.md` describes its origin.

    Raises:
        SerializationError: its file is damaged.
    """
    return loads_pretrained((files("model") / "data" / "pretrained.npz").read_bytes())


def _describe_predictor(predictor: Predictor, prefix: str) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Return the header entries of a predictor, without spec and pretrained model, and its arrays."""
    description, arrays = _describe_ensemble(predictor.ensemble, prefix)
    header = {
        **description,
        "horizons": predictor.horizons,
        BLENDS_KEY: [_describe_blend(blend) for blend in predictor.blends],
        "base_rates": predictor.base_rates,
        "thresholds": predictor.thresholds,
        PRETRAINED_WEIGHT_KEY: predictor.pretrained_weight,
    }
    for i, blend in enumerate(predictor.blends):
        arrays[f"{prefix}{LOAD_TABLE_KEY}.{i}"] = np.stack([blend.load_table.scores, blend.load_table.values])
    return header, arrays


def _describe_blend(blend: HorizonBlend) -> dict[str, Any]:
    return {
        "calm": [*blend.calm.weights, blend.calm.intercept],
        "high": [*blend.high.weights, blend.high.intercept],
        "unknown": blend.load_table.unknown,
    }


def _describe_ensemble(ensemble: Ensemble, prefix: str) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Return the header entries of an ensemble and its arrays, whose names start with `prefix`."""
    arrays = {f"{prefix}scaler.{name}": array for name, array in ensemble.scaler.arrays().items()}
    networks = []
    for i, (network, columns) in enumerate(zip(ensemble.networks, ensemble.columns, strict=True)):
        arrays |= named_arrays(network, f"{prefix}network.{i}.")
        networks.append({"layers": [describe_layer(layer) for layer in network.layers], "columns": columns.tolist()})
    selected = None if ensemble.selected is None else ensemble.selected.tolist()
    return {"networks": networks, "picked": selected}, arrays


def _describe_spec(spec: FeatureSpec) -> dict[str, Any]:
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


def _build_spec(raw: dict[str, Any]) -> FeatureSpec:
    rules = Rules(
        tuple(tuple((str(metric), bound) for metric, bound in rule) for rule in raw["rules"]),
        raw["sustained"],
    )
    return FeatureSpec(
        columns=tuple(raw["columns"]),
        inputs=tuple(raw["inputs"]),
        logarithmic=tuple(raw["logarithmic"]),
        rules=rules,
        windows=tuple(raw["windows"]),
        step=raw["step"],
        horizons=tuple(raw["horizons"]),
        seasonal=raw["seasonal"],
    )


def _build_predictor(
    spec: FeatureSpec, header: dict[str, Any], arrays: dict[str, Floats], prefix: str, pretrained: Ensemble | None
) -> Predictor:
    tables = [arrays[f"{prefix}{LOAD_TABLE_KEY}.{i}"] for i in range(len(header[BLENDS_KEY]))]
    predictor = Predictor(
        spec=spec,
        horizons=tuple(header["horizons"]),
        ensemble=_build_ensemble(header, arrays, prefix),
        blends=tuple(_build_blend(raw, table) for raw, table in zip(header[BLENDS_KEY], tables, strict=True)),
        base_rates=tuple(header["base_rates"]),
        thresholds=tuple(header["thresholds"]),
        pretrained=pretrained,
        pretrained_weight=float(header[PRETRAINED_WEIGHT_KEY]),
    )
    _check_predictor(predictor)
    return predictor


def _build_blend(raw: dict[str, Any], table: Floats) -> HorizonBlend:
    calm, high = (
        BlendWeights(tuple(float(weight) for weight in raw[state][:-1]), float(raw[state][-1]))
        for state in ("calm", "high")
    )
    numbers = np.array([*calm.weights, calm.intercept, *high.weights, high.intercept, raw["unknown"]])
    require_finite(numbers, table)
    if len(numbers) != 2 * len(EXPERTS) + 3 or table.ndim != 2 or len(table) != 2 or not table.size:
        raise SerializationError(f"not the weights of {len(EXPERTS)} experts and a load table")
    return HorizonBlend(LoadTable(table[0], table[1], float(raw["unknown"])), calm, high)


def _build_ensemble(header: dict[str, Any], arrays: dict[str, Floats], prefix: str) -> Ensemble:
    networks = tuple(
        build_network(raw["layers"], arrays, f"{prefix}network.{i}.") for i, raw in enumerate(header["networks"])
    )
    columns = tuple(np.array(raw["columns"], dtype=np.intp) for raw in header["networks"])
    selected = None if header["picked"] is None else np.array(header["picked"], dtype=np.intp)
    ranges = (arrays.get(f"{prefix}scaler.{name}") for name in ("low", "high"))
    scaler = Scaler(arrays[f"{prefix}scaler.mean"], arrays[f"{prefix}scaler.deviation"], *ranges)
    return Ensemble(scaler, networks, columns, selected)


def _check_predictor(predictor: Predictor) -> None:
    """Raise SerializationError unless all parts fit together and are finite."""
    features = len(predictor.spec.names)
    horizons = len(predictor.horizons)
    lengths = {len(predictor.blends), len(predictor.base_rates), len(predictor.thresholds)}
    for ensemble in (predictor.ensemble, predictor.pretrained):
        if ensemble is not None:
            lengths.add(_check_ensemble(ensemble, features))
    if lengths != {horizons}:
        raise SerializationError(f"{horizons} horizons, but outputs or figures for {sorted(lengths)}")


def _check_ensemble(ensemble: Ensemble, features: int) -> int:
    """Raise an exception unless the parts of an ensemble fit together and are finite; return its outputs."""
    outputs = ensemble.outputs(features)
    require_finite(*ensemble.scaler.arrays().values(), *(network.flat for network in ensemble.networks))
    return outputs
