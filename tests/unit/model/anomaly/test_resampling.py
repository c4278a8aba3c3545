"""Rows from samples, and gaps between them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.anomaly import resampling
from model.anomaly.forecaster import LOOKBACK
from model.anomaly.resampling import continuously_present, forward_fill, resample, row_interval

pytestmark = pytest.mark.unit

TIMES = np.array([600.0, 605.0, 650.0, 660.0, 780.0, 10_000_020.0])
VALUES = np.array([[1.0], [3.0], [np.nan], [5.0], [7.0], [9.0]])


def test_row_interval_is_at_least_a_minute():
    assert row_interval(5.0) == 60.0
    assert row_interval(300.0) == 300.0


def test_resample_averages_present_samples_by_row():
    times, rows = resample(TIMES, VALUES, 60.0)
    assert times[:4].tolist() == [600.0, 660.0, 720.0, 780.0]
    assert rows[:4, 0].tolist() == pytest.approx([2.0, 5.0, np.nan, 7.0], nan_ok=True)


def test_resample_limits_the_rows_of_a_long_gap():
    times, rows = resample(TIMES, VALUES, 60.0)
    assert len(times) == 4 + LOOKBACK + 1
    assert (np.diff(times[4:]) == 60.0).all()
    assert np.isnan(rows[4:-1]).all()
    assert (times[-1], rows[-1, 0]) == (10_000_020.0, 9.0)


def test_resample_returns_no_rows_without_samples():
    times, rows = resample(np.empty(0), np.empty((0, 2)), 60.0)
    assert times.shape == (0,)
    assert rows.shape == (0, 2)


@pytest.mark.parametrize("spacing", [5.0, 60.0])
def test_resample_leaves_out_excluded_samples_in_chunks(monkeypatch, spacing):
    monkeypatch.setattr(resampling, "CHUNK_GROUPS", 3)
    rng = np.random.default_rng(1)
    times = 600.0 + spacing * np.flatnonzero(rng.random(300) < 0.9)
    values = rng.normal(0, 1, (len(times), 2))
    excluded = rng.random(len(times)) < 0.2
    masked = np.where(excluded[:, None], np.nan, values)
    row_times, rows = resample(times, values, 60.0, excluded)
    expected = [
        np.nan if not len(group) else group.mean()
        for group in (masked[(times >= at) & (times < at + 60.0) & ~excluded, 1] for at in row_times.tolist())
    ]
    assert rows[:, 1].tolist() == pytest.approx(expected, nan_ok=True)
    monkeypatch.setattr(resampling, "CHUNK_GROUPS", 1000)
    assert resample(times, masked, 60.0)[1].tobytes() == rows.tobytes()


def test_continuously_present_needs_a_warm_up_after_a_gap():
    present = np.ones((100, 1), bool)
    present[40:42] = False
    present[60:70] = False
    continuous = continuously_present(present, 10)[:, 0]
    expected = np.zeros(100, bool)
    expected[10:40] = True
    expected[42:60] = True
    expected[80:] = True
    assert continuous.tolist() == expected.tolist()


def test_forward_fill_repeats_the_last_value():
    z = np.array([[np.nan, 1.0], [2.0, np.nan], [np.nan, np.nan]])
    assert forward_fill(z).tolist() == [[0.0, 1.0], [2.0, 1.0], [2.0, 1.0]]


@given(
    start=st.sampled_from([0.0, 1.8e9]),
    steps=st.lists(st.sampled_from([3e-7, 1e-3, 1.0, 30.0, 60.0, 3600.0, 1e9]), max_size=30),
    step=st.sampled_from([60.0, 600.0]),
)
def test_rows_of_any_times_are_increasing_and_have_the_mean_of_the_samples(start, steps, step):
    times = np.unique(start + np.cumsum(np.array([0.0, *steps])))
    values = np.linspace(0, 1, len(times))[:, None]
    row_times, rows = resample(times, values, step)
    assert (np.diff(row_times) > 0).all()
    assert len(row_times) <= len(times) * (LOOKBACK + 1)
    filled = np.isfinite(rows[:, 0])
    assert filled.sum() == len(np.unique(times // step))
    assert rows[filled, 0].min() >= 0
    assert rows[filled, 0].max() <= 1
