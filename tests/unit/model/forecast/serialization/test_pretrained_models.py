"""Serialization of the pretrained model."""

import numpy as np
import pytest

from model.errors import SerializationError
from model.forecast.serialization import bundled_pretrained_model, dumps, dumps_pretrained, loads_pretrained

pytestmark = pytest.mark.unit


def test_pretrained_model_is_restored():
    pretrained = bundled_pretrained_model()
    restored = loads_pretrained(dumps_pretrained(pretrained, {}))
    assert len(restored.networks) == 4
    assert np.array_equal(restored.networks[0].flat, pretrained.networks[0].flat)
    assert np.array_equal(restored.base_rates, pretrained.base_rates)


def test_predictor_is_not_taken_for_a_pretrained_model(candidate):
    with pytest.raises(SerializationError):
        loads_pretrained(dumps(candidate.predictor))
