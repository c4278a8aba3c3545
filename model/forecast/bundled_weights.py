"""The prior that the package brings along; `data/PRIOR.md` says what it was made of."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from model.forecast.pretrained import PretrainedModel
from model.forecast.serialization import loads_pretrained


@cache
def bundled_pretrained_model() -> PretrainedModel:
    """The prior, read once.

    Raises:
        SerializationError: its file is damaged.
    """
    return loads_pretrained((files("model") / "data" / "prior.npz").read_bytes())
