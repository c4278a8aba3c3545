"""Persistence model during high load."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.forecast.persistence import MIN_ROWS, fit_persistence

pytestmark = pytest.mark.unit


def periods(count=60, length=20, ahead=3):
    """Samples during high-load periods of equal length: the label is 0 in the last `ahead` samples of each."""
    position = np.tile(np.arange(length), count)
    index = np.random.default_rng(0).uniform(1.0, 1.3, len(position))
    return index, np.log1p(position), (position < length - ahead).astype(float)


def test_probability_falls_where_periods_usually_end():
    index, since_onset, y = periods()
    model = fit_persistence(index, since_onset, y, 3)
    p = model(index, since_onset)
    assert p[y == 1].mean() > 0.9
    assert p[y == 0].mean() < 0.2
    assert p.mean() == pytest.approx(y.mean(), abs=0.02)


def test_probability_rises_with_the_load():
    rng = np.random.default_rng(1)
    index = rng.uniform(1.0, 2.0, 5000)
    y = (rng.random(5000) < index / 2).astype(float)
    model = fit_persistence(index, rng.uniform(0, 4, 5000), y, 1)
    low, high = model(np.array([1.05, 1.95]), np.array([2.0, 2.0]))
    assert low == pytest.approx(0.52, abs=0.1)
    assert high == pytest.approx(0.97, abs=0.05)


@pytest.mark.parametrize(("rows", "known"), [(MIN_ROWS - 1, MIN_ROWS - 1), (100, MIN_ROWS - 1)])
def test_few_rows_yield_no_model(rows, known):
    y = np.where(np.arange(rows) < known, 1.0, np.nan)
    assert fit_persistence(np.ones(rows), np.ones(rows), y, 1) is None


def test_unknown_labels_are_left_out():
    index, since_onset, y = periods()
    padded = [np.append(values, other) for values, other in ((index, 9.0), (since_onset, 9.0), (y, np.nan))]
    expected = fit_persistence(index, since_onset, y, 3)
    model = fit_persistence(*padded, 3)
    assert np.array_equal(model(index, since_onset), expected(index, since_onset))


@given(st.integers(MIN_ROWS, 500), st.floats(1, 200), st.booleans())
def test_probability_is_no_more_certain_than_the_observations_allow(rows, block_rows, always):
    """High load that never ended so far may end: with n independent observations by half an event in n + 1."""
    rng = np.random.default_rng(rows)
    y = np.full(rows, float(always))
    index = rng.uniform(1, 2, rows)
    p = fit_persistence(index, rng.uniform(0, 5, rows), y, block_rows)(index, np.full(rows, 2.0))
    blocks = rows / block_rows
    assert (p <= (blocks + 0.5) / (blocks + 1) + 1e-9).all()
    assert np.isfinite(p).all()
