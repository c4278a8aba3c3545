"""Own model serialization: equal parameters, and one error for anything else."""

from dataclasses import fields, replace

import numpy as np
import pytest

from model.errors import SerializationError
from model.forecast.fleet.own_models import OwnModel
from model.forecast.serialization.own_models import dumps_own, loads_own

pytestmark = pytest.mark.unit


def make_model():
    rng = np.random.default_rng(0)
    shapes = {
        **dict.fromkeys(("mean", "deviation", "low", "high"), (5,)),
        "hidden": (5, 4),
        "hidden_bias": (4,),
        "output": (4, 2),
        "output_bias": (2,),
        "scores": (2, 20),
        "values": (2, 20),
        "unknown": (2,),
        "weights": (2, 2, 3),
        "intercepts": (2, 2),
    }
    narrow = {"mean", "deviation", "low", "high", "hidden", "hidden_bias", "output", "output_bias"}
    arrays = {
        name: rng.uniform(0.1, 1, shape).astype(np.float32 if name in narrow else np.float64)
        for name, shape in shapes.items()
    }
    return OwnModel(**arrays)


def test_loaded_model_has_the_same_parameters():
    model = make_model()
    loaded = loads_own(dumps_own(model))
    for field in fields(OwnModel):
        np.testing.assert_array_equal(getattr(loaded, field.name), getattr(model, field.name))
    assert dumps_own(loaded) == dumps_own(model)


@pytest.mark.parametrize(
    "change",
    [
        {"hidden": np.zeros((6, 4), np.float32)},
        {"mean": np.full(5, np.nan, np.float32)},
        {"deviation": np.zeros(5, np.float32)},
        {"intercepts": np.zeros((2, 3))},
    ],
)
def test_inconsistent_parameters_are_refused(change):
    with pytest.raises(SerializationError, match="own model"):
        loads_own(dumps_own(replace(make_model(), **change)))


@pytest.mark.parametrize("blob", [b"", b"text", b"PK\3\4"])
def test_other_bytes_are_refused(blob):
    with pytest.raises(SerializationError):
        loads_own(blob)
