"""Pretrained model serialization: networks and provenance in the npz container of module `model.npz`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from model.errors import SerializationError
from model.forecast.ensemble import Ensemble
from model.forecast.pretrained import PretrainedModel
from model.forecast.serialization.ensembles import (
    FORMAT,
    OLDEST_FORMAT,
    build_ensemble,
    check_ensemble,
    describe_ensemble,
)
from model.npz import MALFORMED, pack, unpack

PRETRAINED_KIND = "prior"
"""Header value "kind" of the pretrained model."""


def dumps_pretrained(pretrained: PretrainedModel, provenance: dict[str, Any]) -> bytes:
    """Serialize a pretrained model and its provenance; `loads_pretrained` reads the model only.

    Args:
        pretrained: the model.
        provenance: origin of the model as JSON data, stored in the header.
    """
    columns = (np.arange(len(pretrained.scaler.mean)),) * len(pretrained.networks)
    description, arrays = describe_ensemble(Ensemble(pretrained.scaler, pretrained.networks, columns), "")
    arrays["base_rates"] = pretrained.base_rates
    header = {"format": OLDEST_FORMAT, "kind": PRETRAINED_KIND, "provenance": provenance, **description}
    return pack(header, arrays)


def loads_pretrained(blob: bytes) -> PretrainedModel:
    """Load a pretrained model from the result of `dumps_pretrained`.

    Raises:
        SerializationError: the bytes are not a pretrained model, are damaged, or have an unsupported format.
    """
    header, arrays = unpack(blob, PRETRAINED_KIND, FORMAT)
    try:
        ensemble = build_ensemble(header, arrays, "")
        check_ensemble(ensemble, len(ensemble.scaler.mean))
        return PretrainedModel(ensemble.scaler, ensemble.networks, arrays["base_rates"])
    except MALFORMED as error:
        raise SerializationError(f"not a pretrained model of monitor: {error}") from error


@cache
def bundled_pretrained_model() -> PretrainedModel:
    """Return the pretrained model of the package, loaded once; `data/PRETRAINED.md` describes its origin.

    Raises:
        SerializationError: the file is damaged.
    """
    return loads_pretrained((files("model") / "data" / "pretrained.npz").read_bytes())
