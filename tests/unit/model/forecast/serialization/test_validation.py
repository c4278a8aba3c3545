"""Validation of loaded predictors."""

import pytest

from model.errors import SerializationError
from model.features.labels import Rules
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model, dumps, loads
from model.npz import pack, unpack

pytestmark = pytest.mark.unit

COLUMNS = ("cpu_usage", "memory_usage")
NEWEST_FORMAT = 99


@pytest.fixture(scope="module")
def blob():
    rules = Rules(((("cpu_usage", 0.8),),), 60.0)
    return dumps(bootstrap_predictor(bundled_pretrained_model(), COLUMNS, rules, (300.0, 900.0), 60.0, 0.8))


def repacked(blob, change_header=lambda _: None, change_arrays=lambda _: None):
    """Return a model with changes and a valid checksum."""
    header, arrays = unpack(blob, "model", NEWEST_FORMAT)
    change_header(header)
    change_arrays(arrays)
    return pack(header, arrays)


def test_unchanged_model_is_loaded(blob):
    assert loads(repacked(blob)).horizons == (300.0, 900.0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("thresholds", ["high", None]),
        ("thresholds", [5.0, 0.5]),
        ("thresholds", [True, 0.5]),
        ("base_rates", [-1.0, 0.5]),
        ("base_rates", [[], {}]),
        ("base_rates", [10**400, 0.5]),
        ("horizons", [900.0, 300.0]),
        ("horizons", [300.0, 901.0]),
        ("fitted_until", 1e300),
        ("spec.windows", [1e15]),
        ("spec.windows", list(range(1, 100_000))),
        ("spec.windows", []),
        ("spec.windows", "all"),
        ("spec.step", 0),
        ("spec.step", 1e-9),
        ("spec.step", None),
        ("spec.horizons", [900.0, 300.0]),
        ("spec.seasonal", "yes"),
        ("spec.sustained", "long"),
        ("spec.rules", []),
        ("spec.rules", [[["cpu_usage", 0]]]),
        ("spec.rules", [[["no_such_metric", 0.5]]]),
        ("spec.inputs", ["no_such_metric"]),
        ("spec.inputs", ["cpu_usage", "cpu_usage"]),
    ],
)
def test_values_of_wrong_types_bounds_and_sizes_are_refused(blob, path, value):
    def change(header):
        *parents, key = path.split(".")
        target = header[parents[0]] if parents else header
        target[key] = value

    with pytest.raises(SerializationError):
        loads(repacked(blob, change))


def test_finite_weights_whose_predictions_are_not_finite_are_refused(blob):
    def change(arrays):
        for name, array in arrays.items():
            if "network" in name:
                array[...] = 3e38

    with pytest.raises(SerializationError, match="test"):
        loads(repacked(blob, change_arrays=change))


def test_scaler_without_spread_is_refused(blob):
    def change(arrays):
        for name, array in arrays.items():
            if name.endswith("scaler.deviation"):
                array[...] = 0

    with pytest.raises(SerializationError):
        loads(repacked(blob, change_arrays=change))
