"""Scaling: training range, standardisation and saturation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.features.scaling import Scaler, fit_clipping_scaler, fit_scaler

pytestmark = pytest.mark.unit


def features(rows=400):
    return np.random.default_rng(1).normal(size=(rows, 5)).astype(np.float32)


def test_fit_scaler_ignores_missing_values_and_floors_the_deviation():
    x = features()
    x[:, 1] = 3.0
    x[::2, 2] = np.nan
    scaler = fit_scaler(x)
    assert scaler.mean == pytest.approx(np.nanmean(x, axis=0), abs=1e-6)
    assert scaler.deviation[1] == pytest.approx(1e-3 * 4)
    assert scaler.deviation[2] == pytest.approx(np.nanstd(x[:, 2]), rel=1e-5)


def test_scaler_saturates_outliers_and_centres_missing_values():
    scaler = Scaler(np.zeros(3, np.float32), np.ones(3, np.float32))
    with np.errstate(over="ignore"):
        scaled = scaler(np.array([[1e30, np.nan, 0.01]], np.float32))[0]
    assert scaled[0] <= 4.0
    assert scaled[1] == 0
    assert scaled[2] == pytest.approx(0.01, rel=1e-4)


def test_clipping_scaler_leaves_the_tails_of_heavy_tailed_features_out_of_their_range():
    x = np.sort(np.random.default_rng(0).normal(size=(10_000, 3)).astype(np.float32), axis=0)
    x[:4000, 1] = np.nan
    scaler = fit_clipping_scaler(x, np.array([True, True, False]))
    assert scaler.low.tolist() == [x[5, 0], x[4003, 1], x[0, 2]]
    assert scaler.high.tolist() == [x[-6, 0], x[-4, 1], x[-1, 2]]
    assert np.array_equal(scaler.mean, fit_scaler(x).mean)


def test_clipping_scaler_gives_a_feature_that_was_never_known_no_influence():
    x = features()
    x[:, 1] = np.nan
    scaler = fit_clipping_scaler(x, np.ones(5, bool))
    x[:, 1] = np.linspace(-9, 9, len(x))
    assert not scaler(x)[:, 1].any()


@given(
    arrays(np.float32, (30, 4), elements=st.floats(-(2.0**20), 2.0**20, width=32) | st.just(float("nan"))),
    arrays(np.float32, (5, 4), elements=st.floats(-(2.0**60), 2.0**60, width=32)),
    arrays(bool, 4),
)
def test_inputs_outside_the_training_range_count_as_its_end(x, other, heavy_tailed):
    scaler = fit_clipping_scaler(x, heavy_tailed)
    assert (scaler.low <= scaler.mean).all()
    assert (scaler.mean <= scaler.high).all()
    scaled = scaler(other)
    assert (scaled >= scaler(scaler.low[None])).all()
    assert (scaled <= scaler(scaler.high[None])).all()
    assert np.array_equal(scaler(np.clip(other, scaler.low, scaler.high)), scaled)
