"""Predictor serialization: header and arrays of a predictor in the npz container of module `model.npz`.

Header keys and array names are never renamed, for compatibility with stored models.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from model.array_types import Floats
from model.errors import SerializationError
from model.features.feature_spec import UNSTATED_LOAD_LIMIT, FeatureSpec
from model.features.labels import Rules
from model.forecast.blend import EXPERTS, HorizonBlend, LoadTable
from model.forecast.calibration import BlendWeights
from model.forecast.ensemble import Ensemble
from model.forecast.persistence import PersistenceModel
from model.forecast.predictor import Predictor
from model.forecast.serialization.ensembles import (
    FORMAT,
    OLDEST_FORMAT,
    build_ensemble,
    check_ensemble,
    describe_ensemble,
)
from model.forecast.serialization.validation import check_predictor, check_spec
from model.nn.serialization import require_finite
from model.npz import MALFORMED, pack, unpack

PREDICTOR_KIND = "model"
"""Header value "kind" of a predictor."""

HOLDOUT_MODEL_KEY = "rehearsal"
PRETRAINED_KEY = "prior"
PRETRAINED_WEIGHT_KEY = "prior_share"
BLENDS_KEY = "voices"
LOAD_TABLE_KEY = "worth"
PERSISTENCE_KEY = "persistence"
PRETRAINED_HORIZONS_KEY = "pretrained_horizons"
"""Header keys; some keys, followed by a dot, are also prefixes of array names."""


def dumps(predictor: Predictor) -> bytes:
    """Serialize a predictor, including the holdout model; equal predictors yield equal bytes."""
    header, arrays = _describe_predictor(predictor, "")
    if predictor.pretrained is not None:
        header[PRETRAINED_KEY], pretrained_arrays = describe_ensemble(predictor.pretrained, f"{PRETRAINED_KEY}.")
        arrays |= pretrained_arrays
    if predictor.holdout_model is not None:
        description, holdout_arrays = _describe_predictor(predictor.holdout_model, f"{HOLDOUT_MODEL_KEY}.")
        header[HOLDOUT_MODEL_KEY] = description
        arrays |= holdout_arrays
    spec = _describe_spec(predictor.spec)
    has_old_parts = predictor.ensemble.scaler.low is None and not predictor.persistence
    has_old_features = predictor.spec.load_limit == UNSTATED_LOAD_LIMIT and not predictor.spec.crossings
    number = OLDEST_FORMAT if has_old_parts and has_old_features else FORMAT
    return pack({"format": number, "kind": PREDICTOR_KIND, "spec": spec, **header}, arrays)


def loads(blob: bytes, *, holdout_model: bool = False) -> Predictor:
    """Load a predictor from the result of `dumps`.

    Args:
        blob: result of `dumps`.
        holdout_model: True to load the holdout model too; serving does not need it.

    Raises:
        SerializationError: the bytes are not a model, are damaged, have an unsupported format, or describe a model
            that cannot serve (see `validation`).
    """
    header, arrays = unpack(blob, PREDICTOR_KIND, FORMAT)
    if header["format"] < OLDEST_FORMAT:
        raise SerializationError("the model was made by an earlier release: retrain")
    try:
        spec = _build_spec(header["spec"])
        check_spec(spec)
        pretrained = None
        if PRETRAINED_KEY in header:
            pretrained = build_ensemble(header[PRETRAINED_KEY], arrays, f"{PRETRAINED_KEY}.")
        predictor = _build_predictor(spec, header, arrays, "", pretrained)
        if holdout_model and HOLDOUT_MODEL_KEY in header:
            evaluated = _build_predictor(spec, header[HOLDOUT_MODEL_KEY], arrays, f"{HOLDOUT_MODEL_KEY}.", pretrained)
            predictor = replace(predictor, holdout_model=evaluated)
        return predictor
    except MALFORMED as error:
        raise SerializationError(f"not a model of monitor: {error}") from error


def _describe_predictor(predictor: Predictor, prefix: str) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Return the header entries and the arrays of a predictor, without the spec and the pretrained model."""
    description, arrays = describe_ensemble(predictor.ensemble, prefix)
    header = {
        **description,
        "horizons": predictor.horizons,
        BLENDS_KEY: [_describe_blend(blend) for blend in predictor.blends],
        "base_rates": predictor.base_rates,
        "thresholds": predictor.thresholds,
        PRETRAINED_WEIGHT_KEY: predictor.pretrained_weight,
    }
    if predictor.fitted_until is not None:
        header["fitted_until"] = predictor.fitted_until
    if predictor.pretrained_horizons:
        header[PRETRAINED_HORIZONS_KEY] = predictor.pretrained_horizons
    for i, blend in enumerate(predictor.blends):
        arrays[f"{prefix}{LOAD_TABLE_KEY}.{i}"] = np.stack([blend.load_table.scores, blend.load_table.values])
    if predictor.persistence:
        header[PERSISTENCE_KEY] = [_describe_persistence(model) for model in predictor.persistence]
        for i, model in enumerate(predictor.persistence):
            if model is not None:
                arrays |= _persistence_arrays(model, f"{prefix}{PERSISTENCE_KEY}.{i}.")
    return header, arrays


def _describe_persistence(model: PersistenceModel | None) -> dict[str, Any] | None:
    if model is None:
        return None
    return {
        "weights": [*model.weights.weights, model.weights.intercept],
        "most": model.most,
        "unknown": [model.load_table.unknown, model.duration_table.unknown],
    }


def _persistence_arrays(model: PersistenceModel, prefix: str) -> dict[str, Floats]:
    tables = {"load": model.load_table, "duration": model.duration_table}
    return {f"{prefix}{name}": np.stack([table.scores, table.values]) for name, table in tables.items()}


def _describe_blend(blend: HorizonBlend) -> dict[str, Any]:
    return {
        "calm": [*blend.calm.weights, blend.calm.intercept],
        "high": [*blend.high.weights, blend.high.intercept],
        "unknown": blend.load_table.unknown,
    }


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
        **({} if spec.load_limit == UNSTATED_LOAD_LIMIT else {"load_limit": spec.load_limit}),
        **({"crossings": True} if spec.crossings else {}),
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
        load_limit=float(raw.get("load_limit", UNSTATED_LOAD_LIMIT)),
        crossings=bool(raw.get("crossings", False)),
    )


def _build_predictor(
    spec: FeatureSpec, header: dict[str, Any], arrays: dict[str, Floats], prefix: str, pretrained: Ensemble | None
) -> Predictor:
    fitted_until = header.get("fitted_until")
    tables = [arrays[f"{prefix}{LOAD_TABLE_KEY}.{i}"] for i in range(len(header[BLENDS_KEY]))]
    predictor = Predictor(
        spec=spec,
        horizons=tuple(header["horizons"]),
        ensemble=build_ensemble(header, arrays, prefix),
        blends=tuple(_build_blend(raw, table) for raw, table in zip(header[BLENDS_KEY], tables, strict=True)),
        base_rates=tuple(header["base_rates"]),
        thresholds=tuple(header["thresholds"]),
        pretrained=pretrained,
        pretrained_weight=float(header[PRETRAINED_WEIGHT_KEY]),
        fitted_until=None if fitted_until is None else float(fitted_until),
        persistence=tuple(
            _build_persistence(raw, arrays, f"{prefix}{PERSISTENCE_KEY}.{i}.")
            for i, raw in enumerate(header.get(PERSISTENCE_KEY, ()))
        ),
        pretrained_horizons=tuple(header.get(PRETRAINED_HORIZONS_KEY, ())),
    )
    _check_parts(predictor)
    check_predictor(predictor)
    return predictor


def _build_persistence(raw: dict[str, Any] | None, arrays: dict[str, Floats], prefix: str) -> PersistenceModel | None:
    if raw is None:
        return None
    by_load, by_duration, intercept = (float(weight) for weight in raw["weights"])
    load, duration = (arrays[f"{prefix}{name}"] for name in ("load", "duration"))
    numbers = np.array([by_load, by_duration, intercept, raw["most"], *raw["unknown"]])
    require_finite(numbers, load, duration)
    return PersistenceModel(
        load_table=_build_table(load, raw["unknown"][0]),
        duration_table=_build_table(duration, raw["unknown"][1]),
        weights=BlendWeights((by_load, by_duration), intercept),
        most=float(raw["most"]),
    )


def _build_table(points: Floats, unknown: float) -> LoadTable:
    if points.ndim != 2 or len(points) != 2 or not points.size:
        raise SerializationError("the points of a table have a wrong shape")
    return LoadTable(points[0], points[1], float(unknown))


def _build_blend(raw: dict[str, Any], table: Floats) -> HorizonBlend:
    calm, high = (
        BlendWeights(tuple(float(weight) for weight in raw[state][:-1]), float(raw[state][-1]))
        for state in ("calm", "high")
    )
    numbers = np.array([*calm.weights, calm.intercept, *high.weights, high.intercept, raw["unknown"]])
    require_finite(numbers, table)
    if len(numbers) != 2 * len(EXPERTS) + 3:
        raise SerializationError(f"the blend needs weights of {len(EXPERTS)} experts")
    return HorizonBlend(_build_table(table, raw["unknown"]), calm, high)


def _check_parts(predictor: Predictor) -> None:
    """Raise SerializationError or ValueError unless the parts fit together and the networks are finite."""
    horizons = len(predictor.horizons)
    lengths = {len(predictor.blends), len(predictor.base_rates), len(predictor.thresholds)}
    if predictor.persistence:
        lengths.add(len(predictor.persistence))
    for ensemble in (predictor.ensemble, predictor.pretrained):
        if ensemble is not None:
            lengths.add(check_ensemble(ensemble, len(predictor.spec.names)))
    if lengths != {horizons}:
        raise SerializationError(f"{horizons} horizons, but parts for {sorted(lengths)} horizons")
