"""Serialization of predictors."""

import io
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.errors import SerializationError
from model.forecast.predictor import predict_at
from model.forecast.serialization import dumps, loads
from tests.unit.model.conftest import make_trace

pytestmark = pytest.mark.unit

RELEASE_0_1 = Path(__file__).parents[4] / "golden" / "forecast" / "predictor-0.1.0.npz"
"""Predictor that release 0.1.0 stored, with holdout model and pretrained model."""


def test_loaded_predictor_predicts_the_same(candidate, trace):
    restored = loads(dumps(candidate.predictor))
    expected = candidate.predictor.probabilities(candidate.holdout.x)
    assert np.array_equal(predict_at(restored, *trace, candidate.holdout.times), expected)
    assert restored.spec == candidate.predictor.spec
    assert restored.thresholds == candidate.predictor.thresholds
    assert restored.holdout_model is None


def test_training_ranges_are_restored(candidate):
    ensemble = candidate.predictor.ensemble
    restored = loads(dumps(candidate.predictor)).ensemble.scaler
    assert (ensemble.scaler.low < ensemble.scaler.high).any()
    assert np.array_equal(restored.low, ensemble.scaler.low)
    assert np.array_equal(restored.high, ensemble.scaler.high)


def test_encoded_networks_are_restored(candidate):
    expected = candidate.predictor.ensemble
    restored = loads(dumps(candidate.predictor)).ensemble
    assert len(expected.encoding.inputs) > 0
    assert restored.mean_of_probabilities
    for name in ("inputs", "low", "high"):
        assert np.array_equal(getattr(restored.encoding, name), getattr(expected.encoding, name))


def test_trees_are_restored(candidate):
    expected = candidate.predictor.ensemble.trees
    restored = loads(dumps(candidate.predictor)).ensemble.trees
    assert expected.values.any()
    for name in ("inputs", "thresholds", "values", "bias"):
        assert np.array_equal(getattr(restored, name), getattr(expected, name))


@pytest.mark.parametrize(
    "broken",
    [
        lambda trees: replace(trees, values=trees.values * np.float32(np.nan)),
        lambda trees: replace(trees, values=trees.values[..., 1:]),
        lambda trees: replace(trees, inputs=trees.inputs + 10_000),
        lambda trees: replace(
            trees, inputs=np.zeros((2, 1, 20), int), thresholds=np.zeros((2, 1, 20)), values=np.zeros((2, 1, 2**20))
        ),
    ],
)
def test_damaged_trees_are_refused(candidate, broken):
    ensemble = candidate.predictor.ensemble
    with pytest.raises(SerializationError, match=r"tree|finite"):
        loads(dumps(replace(candidate.predictor, ensemble=replace(ensemble, trees=broken(ensemble.trees)))))


@pytest.mark.parametrize("name", ["low", "high"])
def test_damaged_encoding_is_refused(candidate, name):
    ensemble = candidate.predictor.ensemble
    for broken in (np.nan, 0.0):
        encoding = replace(ensemble.encoding, **{name: np.full_like(ensemble.encoding.low, broken)})
        with pytest.raises(SerializationError):
            loads(dumps(replace(candidate.predictor, ensemble=replace(ensemble, encoding=encoding))))


@pytest.mark.parametrize("limit", [0.5, 9.0])
def test_load_limit_out_of_bounds_is_refused(candidate, limit):
    assert loads(dumps(candidate.predictor)).spec.load_limit == 1.25
    with pytest.raises(SerializationError):
        loads(dumps(replace(candidate.predictor, spec=replace(candidate.predictor.spec, load_limit=limit))))


def test_training_ranges_that_are_not_finite_are_refused(candidate):
    predictor = candidate.predictor
    scaler = replace(predictor.ensemble.scaler, high=np.full_like(predictor.ensemble.scaler.mean, np.inf))
    with pytest.raises(SerializationError, match="not finite"):
        loads(dumps(replace(predictor, ensemble=replace(predictor.ensemble, scaler=scaler))))


def test_persistence_models_are_restored(candidate):
    predictor = candidate.predictor
    restored = loads(dumps(predictor)).persistence
    index = np.linspace(1, 2, 9)
    since_onset = np.linspace(0, 4, 9)
    assert all(model is not None for model in predictor.persistence)
    for model, expected in zip(restored, predictor.persistence, strict=True):
        assert np.array_equal(model(index, since_onset), expected(index, since_onset))
    without = replace(predictor, persistence=(None, predictor.persistence[1]))
    assert loads(dumps(without)).persistence[0] is None


def test_persistence_models_for_other_horizons_are_refused(candidate):
    with pytest.raises(SerializationError, match="horizons"):
        loads(dumps(replace(candidate.predictor, persistence=candidate.predictor.persistence[:1])))


def test_table_without_points_is_refused(candidate):
    model = candidate.predictor.persistence[0]
    empty = replace(model.load_table, scores=np.empty(0), values=np.empty(0))
    broken = replace(candidate.predictor, persistence=(replace(model, load_table=empty),) * 2)
    with pytest.raises(SerializationError, match="points"):
        loads(dumps(broken))


def test_holdout_model_is_loaded_on_request(candidate, trace):
    holdout_model = loads(dumps(candidate.predictor), holdout_model=True).holdout_model
    expected = candidate.predictor.holdout_model.probabilities(candidate.holdout.x)
    assert np.array_equal(predict_at(holdout_model, *trace, candidate.holdout.times), expected)
    assert not np.array_equal(expected, candidate.predictor.probabilities(candidate.holdout.x))


def data_position(blob, ratio):
    """Return the position of a byte of the array that is stored after the given ratio of the arrays."""
    entries = zipfile.ZipFile(io.BytesIO(blob)).infolist()
    entry = entries[int(ratio * len(entries))]
    name_bytes, extra_bytes = struct.unpack_from("<HH", blob, entry.header_offset + 26)
    return entry.header_offset + 30 + name_bytes + extra_bytes + entry.file_size - 2


@pytest.mark.parametrize("position", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_flipped_bit_is_detected(candidate, position):
    blob = bytearray(dumps(candidate.predictor))
    blob[data_position(bytes(blob), position)] ^= 0x10
    with pytest.raises(SerializationError):
        loads(bytes(blob))


def test_newer_format_is_refused(candidate, monkeypatch):
    blob = dumps(candidate.predictor)
    monkeypatch.setattr("model.forecast.serialization.predictors.FORMAT", 3)
    with pytest.raises(SerializationError, match="format 4"):
        loads(blob)


def test_older_format_is_refused_with_advice(candidate, monkeypatch):
    monkeypatch.setattr("model.forecast.serialization.predictors.FORMAT", 1)
    blob = dumps(candidate.predictor)
    monkeypatch.setattr("model.forecast.serialization.predictors.FORMAT", 4)
    with pytest.raises(SerializationError, match="retrain"):
        loads(blob)


@pytest.mark.parametrize("blob", [b"", b"PK\x03\x04 not really", b"\x80\x04K\x01."])
def test_foreign_bytes_are_refused(blob):
    with pytest.raises(SerializationError):
        loads(blob)


def test_weights_that_are_not_finite_are_refused(candidate):
    predictor = loads(dumps(candidate.predictor))
    predictor.ensemble.networks[1].flat[3] = np.nan
    with pytest.raises(SerializationError, match="not finite"):
        loads(dumps(predictor))


def test_predictor_of_release_0_1_predicts_the_same():
    times, values = make_trace(rows=2000)
    at = times[[500, 1200, 1900]]
    predictor = loads(RELEASE_0_1.read_bytes(), holdout_model=True)
    assert predict_at(predictor, times, values, at) == pytest.approx(
        np.array([[0.1050545, 0.3797887], [0.0265049, 0.1872093], [0.9309333, 0.9390614]]), abs=1e-6
    )
    assert predict_at(predictor.holdout_model, times, values, at) == pytest.approx(
        np.array([[0.1008873, 0.3732353], [0.0372354, 0.2280911], [0.9236222, 0.9236222]]), abs=1e-6
    )
    assert predictor.pretrained is not None
    assert predictor.spec.load_limit == 8.0
    assert not predictor.ensemble.mean_of_probabilities
    assert dumps(predictor) == RELEASE_0_1.read_bytes()
