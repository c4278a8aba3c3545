"""Predictors and priors as bytes, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from model.array_types import Floats, Integers
from model.errors import SerializationError
from model.features.features import FeatureSpec
from model.features.labels import Rules
from model.forecast.blend import EXPERTS, HorizonBlend, LoadTable
from model.forecast.calibration import BlendWeights
from model.forecast.ensemble import Ensemble, Scaler
from model.forecast.predictor import Predictor
from model.forecast.pretrained import PretrainedModel
from model.nn.serialization import FORMAT, build_network, describe_layer, named_arrays, require_finite
from model.npz import pack, unpack

HOLDOUT_MODEL, PRIOR = "rehearsal.", "prior."
"""What the names of arrays begin with: of a predictor's twin, and of its prior."""


def dumps(predictor: Predictor) -> bytes:
    """The same predictor gives the same bytes."""
    header, arrays = _taken_apart(predictor, "")
    if predictor.prior is not None:
        header["prior"], more = _dismantled(predictor.prior, PRIOR)
        arrays |= more
    twin = predictor.holdout_model
    if twin is not None:
        header["rehearsal"], more = _taken_apart(twin, HOLDOUT_MODEL)
        arrays |= more
    return pack({"format": FORMAT, "kind": "model", "spec": _spec_described(predictor.spec), **header}, arrays)


def loads(blob: bytes, *, holdout_model: bool = False) -> Predictor:
    """The predictor of `dumps`.

    Args:
        blob: its bytes.
        holdout_model: whether its holdout model is wanted too; serving does without.

    Raises:
        SerializationError: not a model, a damaged one, or one of another format.
    """
    header, arrays = unpack(blob, "model", FORMAT)
    if header["format"] < FORMAT:
        raise SerializationError("the model was made by an earlier release: retrain")
    try:
        spec = _spec(header["spec"])
        prior = _ensemble(header["prior"], arrays, PRIOR) if "prior" in header else None
        predictor = _assemble(spec, header, arrays, "", prior)
        if holdout_model and "rehearsal" in header:
            twin = _assemble(spec, header["rehearsal"], arrays, HOLDOUT_MODEL, prior)
            predictor = replace(predictor, holdout_model=twin)
        return predictor
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise SerializationError(f"not a model of monitor: {error}") from error


def dumps_pretrained(prior: PretrainedModel, provenance: dict[str, Any]) -> bytes:
    """A prior with what is told of how it was made."""
    ensemble = Ensemble(prior.scaler, prior.networks, (np.arange(len(prior.scaler.mean)),) * len(prior.networks))
    told, arrays = _dismantled(ensemble, "")
    arrays["base_rates"] = prior.base_rates
    return pack({"format": FORMAT, "kind": "prior", "provenance": provenance, **told}, arrays)


def loads_pretrained(blob: bytes) -> PretrainedModel:
    """The prior of `dumps_prior`.

    Raises:
        SerializationError: not a prior, a damaged one, or one of a newer format.
    """
    header, arrays = unpack(blob, "prior", FORMAT)
    try:
        ensemble = _ensemble(header, arrays, "")
        _check_ensemble(ensemble, len(ensemble.scaler.mean))
        return PretrainedModel(ensemble.scaler, ensemble.networks, arrays["base_rates"])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise SerializationError(f"not a prior of monitor: {error}") from error


def _taken_apart(predictor: Predictor, prefix: str) -> tuple[dict[str, Any], dict[str, Floats]]:
    """What is told of a predictor beside its features and its prior, and its arrays."""
    ensemble, arrays = _dismantled(predictor.ensemble, prefix)
    told = {
        **ensemble,
        "horizons": predictor.horizons,
        "voices": [_mixes(blends) for blends in predictor.blends],
        "base_rates": predictor.base_rates,
        "thresholds": predictor.thresholds,
        "prior_share": predictor.pretrained_weight,
    }
    for i, blends in enumerate(predictor.blends):
        arrays[f"{prefix}worth.{i}"] = np.stack([blends.load_table.scores, blends.load_table.values])
    return told, arrays


def _mixes(blends: HorizonBlend) -> dict[str, Any]:
    mixes = {name: [*mix.weights, mix.intercept] for name, mix in (("calm", blends.calm), ("high", blends.high))}
    return {**mixes, "unknown": blends.load_table.unknown}


def _dismantled(ensemble: Ensemble, prefix: str) -> tuple[dict[str, Any], dict[str, Floats]]:
    arrays = {f"{prefix}scaler.mean": ensemble.scaler.mean, f"{prefix}scaler.deviation": ensemble.scaler.deviation}
    networks = []
    for i, (network, columns) in enumerate(zip(ensemble.networks, ensemble.columns, strict=True)):
        arrays |= named_arrays(network, f"{prefix}network.{i}.")
        networks.append({"layers": [describe_layer(layer) for layer in network.layers], "columns": columns.tolist()})
    picked = None if ensemble.picked is None else ensemble.picked.tolist()
    return {"networks": networks, "picked": picked}, arrays


def _spec_described(spec: FeatureSpec) -> dict[str, Any]:
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


def _assemble(
    spec: FeatureSpec, told: dict[str, Any], arrays: dict[str, Floats], prefix: str, prior: Ensemble | None
) -> Predictor:
    predictor = Predictor(
        spec,
        tuple(told["horizons"]),
        _ensemble(told, arrays, prefix),
        tuple(_blend(entry, arrays[f"{prefix}worth.{i}"]) for i, entry in enumerate(told["voices"])),
        tuple(told["base_rates"]),
        tuple(told["thresholds"]),
        prior,
        float(told["prior_share"]),
    )
    _check(predictor)
    return predictor


def _blend(told: dict[str, Any], load_table: Floats) -> HorizonBlend:
    calm, high = (
        BlendWeights(tuple(map(float, told[name][:-1])), float(told[name][-1])) for name in ("calm", "high")
    )
    numbers = np.array([*calm.weights, calm.intercept, *high.weights, high.intercept, told["unknown"]])
    require_finite(numbers, load_table)
    if len(numbers) != 2 * len(EXPERTS) + 3 or load_table.ndim != 2 or len(load_table) != 2 or not load_table.size:
        raise SerializationError(f"not the weights of {len(EXPERTS)} experts and a load table")
    return HorizonBlend(LoadTable(load_table[0], load_table[1], float(told["unknown"])), calm, high)


def _ensemble(told: dict[str, Any], arrays: dict[str, Floats], prefix: str) -> Ensemble:
    networks = tuple(
        build_network(entry["layers"], arrays, f"{prefix}network.{i}.") for i, entry in enumerate(told["networks"])
    )
    columns = tuple(np.array(entry["columns"], dtype=np.intp) for entry in told["networks"])
    picked = None if told["picked"] is None else np.array(told["picked"], dtype=np.intp)
    scaler = Scaler(arrays[f"{prefix}scaler.mean"], arrays[f"{prefix}scaler.deviation"])
    return Ensemble(scaler, networks, columns, picked)


def _check(predictor: Predictor) -> None:
    """A model that fits together and is finite: never NaN weights that serve."""
    features, horizons = len(predictor.spec.names), len(predictor.horizons)
    lengths = {len(predictor.blends), len(predictor.base_rates), len(predictor.thresholds)}
    for ensemble in (predictor.ensemble, predictor.prior):
        if ensemble is not None:
            lengths.add(_check_ensemble(ensemble, features))
    if lengths != {horizons}:
        raise SerializationError(f"{horizons} horizons, but outputs or figures for {sorted(lengths)}")


def _check_ensemble(ensemble: Ensemble, features: int) -> int:
    """How many outputs it has."""
    if not ensemble.networks:
        raise SerializationError("the model has no network")
    if ensemble.picked is not None:
        _check_columns(ensemble.picked, features)
    seen = features if ensemble.picked is None else len(ensemble.picked)
    outputs = set()
    for network, columns in zip(ensemble.networks, ensemble.columns, strict=True):
        _check_columns(columns, seen)
        outputs.add(network.layer_widths(len(columns))[-1])
        require_finite(network.flat)
    scaler = ensemble.scaler
    if scaler.mean.shape != (seen,) or scaler.deviation.shape != (seen,):
        raise SerializationError(f"the scaler does not fit the {seen} inputs")
    require_finite(scaler.mean, scaler.deviation)
    if len(outputs) != 1:
        raise SerializationError(f"networks with {sorted(outputs)} outputs in one ensemble")
    return outputs.pop()


def _check_columns(columns: Integers, features: int) -> None:
    if columns.ndim != 1 or not ((columns >= 0) & (columns < features)).all():
        raise SerializationError(f"a network looks at features that are not among the {features}")
