"""Own model serialization: the parameters of one host in the npz container of module `model.npz`."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from model.errors import SerializationError
from model.forecast.fleet.own_models import OwnModel
from model.npz import MALFORMED, pack, unpack

FORMAT = 1
KIND = "own_model"
"""Header value "kind" of an own model."""

FINITE = ("mean", "deviation", "hidden", "hidden_bias", "output", "output_bias", "values", "unknown", "weights")
"""Parameters without infinite values."""


def dumps_own(model: OwnModel) -> bytes:
    """Serialize an own model; equal models give equal bytes."""
    arrays = {field.name: getattr(model, field.name) for field in fields(OwnModel)}
    return pack({"format": FORMAT, "kind": KIND}, arrays)


def loads_own(blob: bytes) -> OwnModel:
    """Load an own model from the result of `dumps_own`.

    Raises:
        SerializationError: the bytes are not an own model, are damaged, or have an unsupported format.
    """
    _, arrays = unpack(blob, KIND, FORMAT)
    try:
        model = OwnModel(**{field.name: arrays[field.name] for field in fields(OwnModel)})
        _check(model)
    except MALFORMED as error:
        raise SerializationError(f"not an own model of monitor: {error}") from error
    return model


def _check(model: OwnModel) -> None:
    """Raise ValueError unless the shapes of the parameters fit together, and all are numbers."""
    features, units = model.hidden.shape
    horizons = len(model.unknown)
    scaler = (model.mean, model.deviation, model.low, model.high)
    shapes = [
        *((parameter.shape, (features,)) for parameter in scaler),
        (model.hidden_bias.shape, (units,)),
        (model.output.shape, (units, horizons)),
        (model.output_bias.shape, (horizons,)),
        (model.scores.shape, model.values.shape),
        (model.intercepts.shape, (2, horizons)),
        (model.weights.shape[:2], (2, horizons)),
    ]
    if any(own != expected for own, expected in shapes):
        raise ValueError("its parameters differ in shape")
    if not all(np.isfinite(getattr(model, name)).all() for name in FINITE) or not (model.deviation > 0).all():
        raise ValueError("a parameter is not finite")
