"""Floor during high load: published probabilities are at least those of the load table."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.forecast.blend import HorizonBlend, LoadTable, network_only
from model.forecast.calibration import BlendWeights
from model.forecast.log_odds import sigmoid
from model.forecast.online.high_load_floor import HighLoadFloor

pytestmark = pytest.mark.unit

WEIGHTS = BlendWeights((1.0, 0.0, 0.0))


def blend(*values):
    table = LoadTable(np.array([0.5, 1.0, 1.5]), np.array(values), -2.0)
    return HorizonBlend(table, WEIGHTS, WEIGHTS)


FLOOR = HighLoadFloor([blend(-4.0, 0.0, 1.0), blend(-4.0, -0.5, 2.0)])


def test_calm_load_keeps_the_bits_of_the_probabilities():
    p = np.array([[[0.01, 0.02], [0.3, 1.0]]])
    published, raised = FLOOR(p, np.zeros((1, 2), bool), np.array([[2.0, np.nan]]))
    assert published.tobytes() == p.tobytes()
    assert not raised.any()


def test_high_load_raises_only_what_is_below_the_load_table():
    p = np.array([[[0.01, 0.02], [0.95, 0.96], [0.01, 0.02]]])
    published, raised = FLOOR(p, np.array([[True, True, False]]), np.array([[1.5, 1.5, 1.5]]))
    assert published[0, 0] == pytest.approx(sigmoid(np.array([1.0, 2.0])))
    assert published[0, 1:].tolist() == p[0, 1:].tolist()
    assert raised[0].tolist() == [[True, True], [False, False], [False, False]]


def test_floor_does_not_decrease_with_the_horizon():
    published, _ = FLOOR(np.full((1, 1, 2), 0.1), np.ones((1, 1), bool), np.ones((1, 1)))
    assert published[0, 0].tolist() == [0.5, 0.5]


def test_blend_without_a_fitted_table_has_no_floor():
    p = np.full((1, 1, 1), 0.1)
    published, raised = HighLoadFloor([network_only()])(p, np.ones((1, 1), bool), np.ones((1, 1)))
    assert published.tolist() == p.tolist()
    assert not raised.any()


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans(), st.floats(0, 8)), min_size=1, max_size=20))
def test_published_probabilities_are_bounded_by_model_and_table(rows):
    p = np.sort(np.array([row[:2] for row in rows]), axis=1)[None]
    high = np.array([[row[2] for row in rows]])
    index = np.array([[row[3] for row in rows]])
    published, raised = FLOOR(p, high, index)
    table = np.stack([sigmoid(b.load_table(index)) for b in (blend(-4.0, 0.0, 1.0), blend(-4.0, -0.5, 2.0))], axis=2)
    assert (published >= p).all()
    assert (published[high] >= table[high]).all()
    assert (np.diff(published, axis=2) >= 0).all()
    assert np.array_equal(raised, published > p)
    single = [FLOOR(p[:, i : i + 1], high[:, i : i + 1], index[:, i : i + 1])[0] for i in range(len(rows))]
    assert np.concatenate(single, axis=1).tobytes() == published.tobytes()
