"""Fused ensemble: equal predictions, independent of the batch size."""

import numpy as np
import pytest

from model.features.encoding import Encoding
from model.features.scaling import Scaler
from model.forecast.ensemble import Ensemble
from model.forecast.fused_ensemble import fuse
from model.nn.network import mlp
from model.trees.boosted_trees import BoostedTrees

pytestmark = pytest.mark.unit

COLUMNS = (np.array([0, 2, 4]), np.array([0, 1, 2, 4]), np.array([1, 2, 3]))
SCALER = Scaler(np.full(5, 0.1, np.float32), np.full(5, 2, np.float32))


ENCODED = np.array([0, 1, 3, 5, 6])
LOW = np.array([-0.5, 0.1], np.float32)
ENCODING = Encoding(np.array([1, 4]), LOW, LOW + np.float32(0.7))


TREES = BoostedTrees(
    inputs=np.array([[[0, 3], [4, 1]], [[2, 2], [1, 0]]]),
    thresholds=np.array([[[0.1, -0.2], [0, 0.3]], [[-0.5, 0.2], [0.1, 0]]], np.float32),
    values=np.linspace(-1, 1, 16, dtype=np.float32).reshape(2, 2, 4),
    bias=np.array([0.3, -0.7], np.float32),
)


def make_ensemble(layers=(8, 4), activation="relu", selected=None, encoded=False):
    columns = (*COLUMNS, ENCODED, ENCODED) if encoded else COLUMNS
    rng = np.random.default_rng(0)
    networks = tuple(mlp((len(c), *layers, 2), rng, activation=activation, dropout=0.1) for c in columns)
    if encoded:
        return Ensemble(SCALER, networks, columns, selected, ENCODING, mean_of_probabilities=True, trees=TREES)
    return Ensemble(SCALER, networks, columns, selected)


def features(rows=1100):
    return np.random.default_rng(1).normal(size=(rows, 5)).astype(np.float32)


@pytest.mark.parametrize("layers", [(8,), (8, 4), (5, 4, 3)])
@pytest.mark.parametrize("selected", [None, np.array([4, 0, 0, 2, 1])])
@pytest.mark.parametrize("encoded", [False, True])
def test_fused_ensemble_predicts_and_attributes_like_the_original(layers, selected, encoded):
    ensemble = make_ensemble(layers, selected=selected, encoded=encoded)
    fused = fuse(ensemble)
    x = features()
    assert len(fused.networks) == 1 + encoded
    assert fused.predict(x) == pytest.approx(ensemble.predict(x), abs=1e-5)
    assert fused.attribute(x[0], x[1]) == pytest.approx(ensemble.attribute(x[0], x[1]), abs=1e-5)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("selected", [None, np.array([4, 0, 0, 2, 1])])
@pytest.mark.parametrize("encoded", [False, True])
def test_prediction_of_a_row_does_not_depend_on_other_rows(activation, selected, encoded):
    fused = fuse(make_ensemble(activation=activation, selected=selected, encoded=encoded))
    x = features()
    together = fused.predict(x)
    for rows in (slice(3, 4), slice(7, 60), slice(500, 530)):
        assert fused.predict(x[rows]).tobytes() == np.ascontiguousarray(together[rows]).tobytes()


def test_networks_of_different_kinds_are_not_merged():
    rng = np.random.default_rng(0)
    networks = (mlp((5, 4, 1), rng), mlp((5, 4, 1), rng, activation="tanh"))
    ensemble = Ensemble(SCALER, networks, (np.arange(5),) * 2)
    fused = fuse(ensemble)
    assert len(fused.networks) == 2
    assert fused.predict(features()) == pytest.approx(ensemble.predict(features()), abs=1e-5)


@pytest.mark.parametrize("encoded", [False, True])
def test_fusing_twice_changes_nothing(encoded):
    fused = fuse(make_ensemble(encoded=encoded))
    assert fuse(fused).predict(features()).tobytes() == fused.predict(features()).tobytes()
