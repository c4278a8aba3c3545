"""Serialization of models: predictors and the pretrained model, as npz containers."""

from model.forecast.serialization.predictors import dumps, loads
from model.forecast.serialization.pretrained_models import (
    bundled_pretrained_model,
    dumps_pretrained,
    loads_pretrained,
)

__all__ = ["bundled_pretrained_model", "dumps", "dumps_pretrained", "loads", "loads_pretrained"]
