"""Floor during high load: published probabilities are at least those of persistence."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.features.feature_spec import FeatureSpec
from model.features.labels import Rules
from model.features.scaling import Scaler
from model.forecast.blend import HorizonBlend, LoadTable, network_only
from model.forecast.calibration import BlendWeights
from model.forecast.ensemble import Ensemble
from model.forecast.log_odds import sigmoid
from model.forecast.online.high_load_floor import MIN_PROBABILITY, HighLoadFloor
from model.forecast.persistence import PersistenceModel
from model.forecast.predictor import Predictor

pytestmark = pytest.mark.unit

SPEC = FeatureSpec(("cpu_usage",), (), (), Rules(((("cpu_usage", 0.8),),), 0.0), (60.0,), 5.0, (300.0, 900.0), False)
INDEX, SINCE_ONSET = (SPEC.column_index[f"load_index:{name}"] for name in ("last", "since_onset"))
WEIGHTS = BlendWeights((1.0, 0.0, 0.0))


def table(*values):
    return LoadTable(np.array([0.5, 1.0, 1.5]), np.array(values), -2.0)


def make_predictor(blends, persistence=()):
    ensemble = Ensemble(Scaler(np.zeros(1, np.float32), np.ones(1, np.float32)), (), ())
    return Predictor(SPEC, SPEC.horizons, ensemble, tuple(blends), (0.1,) * 2, (1.0,) * 2, persistence=persistence)


TABLES = table(-4.0, 0.0, 1.0), table(-4.0, -0.5, 2.0)
BLENDS = [HorizonBlend(values, WEIGHTS, WEIGHTS) for values in TABLES]
PREDICTOR = make_predictor(BLENDS)
MODEL = PersistenceModel(
    TABLES[0], LoadTable(np.array([0.0, 2.0]), np.array([0.0, 3.0]), 0.0), BlendWeights((1.0, 0.5)), 2.0
)


def features(index, since_onset=0.0):
    """Features (1, rows, features) of samples with some load indices."""
    x = np.zeros((1, len(index), len(SPEC.names)), np.float32)
    x[0, :, INDEX] = index
    x[0, :, SINCE_ONSET] = since_onset
    return x


def test_calm_load_keeps_the_bits_of_the_probabilities():
    p = np.array([[[0.01, 0.02], [0.3, 1.0]]])
    published, raised = HighLoadFloor(PREDICTOR)(p, features([2.0, np.nan]), np.zeros((1, 2), bool))
    assert published.tobytes() == p.tobytes()
    assert not raised.any()


def test_high_load_raises_only_what_is_below_the_load_table():
    p = np.array([[[0.01, 0.02], [0.95, 0.96], [0.01, 0.02]]])
    published, raised = HighLoadFloor(PREDICTOR)(p, features([1.5] * 3), np.array([[True, True, False]]))
    assert published[0, 0] == pytest.approx(sigmoid(np.array([1.0, 2.0])))
    assert published[0, 1:].tolist() == p[0, 1:].tolist()
    assert raised[0].tolist() == [[True, True], [False, False], [False, False]]


def test_floor_does_not_decrease_with_the_horizon():
    published, _ = HighLoadFloor(PREDICTOR)(np.full((1, 1, 2), 0.1), features([1.0]), np.ones((1, 1), bool))
    assert published[0, 0].tolist() == [0.5, 0.5]


def test_persistence_model_takes_precedence_over_the_load_table():
    floor = HighLoadFloor(replace(PREDICTOR, persistence=(MODEL, None)))
    published, raised = floor(np.full((1, 2, 2), 0.1), features([1.25, 1.25], [1.0, 9.0]), np.ones((1, 2), bool))
    early = float(sigmoid(np.array(0.5 + 0.75)))
    late = float(sigmoid(np.array(2.0)))
    assert published[0] == pytest.approx(np.array([[early, early], [late, late]]))
    assert raised.all()


def test_bootstrap_model_has_the_lowest_floor():
    p = np.array([[[0.1, 0.3]]])
    floor = HighLoadFloor(make_predictor([network_only()] * 2))
    published, raised = floor(p, features([1.0]), np.ones((1, 1), bool))
    assert published.tolist() == [[[MIN_PROBABILITY, 0.3]]]
    assert raised.tolist() == [[[True, False]]]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans(), st.floats(0, 8)), min_size=1, max_size=20),
    st.booleans(),
)
def test_published_probabilities_are_bounded_by_model_and_persistence(rows, fitted):
    predictor = replace(PREDICTOR, persistence=(MODEL, MODEL) if fitted else ())
    floor = HighLoadFloor(predictor)
    p = np.sort(np.array([row[:2] for row in rows]), axis=1)[None]
    high = np.array([[row[2] for row in rows]])
    x = features([row[3] for row in rows], np.linspace(0, 5, len(rows)))
    published, raised = floor(p, x, high)
    index, since_onset = (x[..., column].astype(float) for column in (INDEX, SINCE_ONSET))
    baselines = [MODEL(index, since_onset)] * 2 if fitted else [sigmoid(values(index)) for values in TABLES]
    assert (published >= p).all()
    assert (published >= np.maximum(np.stack(baselines, axis=2), MIN_PROBABILITY))[high].all()
    assert (np.diff(published, axis=2) >= 0).all()
    assert np.array_equal(raised, published > p)
    single = [floor(p[:, i : i + 1], x[:, i : i + 1], high[:, i : i + 1])[0] for i in range(len(rows))]
    assert np.concatenate(single, axis=1).tobytes() == published.tobytes()
