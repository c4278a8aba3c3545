"""Spacing of samples."""

import numpy as np
import pytest

from model.features import spacing
from model.features.spacing import RECENT_INTERVALS, follows_gap, sample_spacing

pytestmark = pytest.mark.unit


def test_spacing_is_the_median_of_the_last_intervals():
    times = np.array([0.0, 10, 20, 30, 100, 110, 112, 114, 116])
    assert sample_spacing(times).tolist() == [0, 10, 10, 10, 10, 10, 10, 10, 2]


def test_spacing_of_one_sample_is_zero():
    assert sample_spacing(np.array([5.0])).tolist() == [0]
    assert sample_spacing(np.empty(0)).tolist() == []


@pytest.mark.parametrize("first", [0, 1, 4, 5, 6, 19])
def test_spacing_of_a_row_depends_on_a_few_rows_before(first):
    times = np.cumsum(np.random.default_rng(0).choice([1.0, 5.0, 60.0], 20))
    complete = sample_spacing(times)
    start = max(0, first - RECENT_INTERVALS)
    assert sample_spacing(times[start:], first - start).tolist() == complete[first:].tolist()


@pytest.mark.parametrize("chunk", [1, 7, 20])
def test_spacing_does_not_depend_on_the_chunks(monkeypatch, chunk):
    times = np.cumsum(np.random.default_rng(0).choice([1.0, 5.0, 60.0], 20))
    complete = sample_spacing(times)
    monkeypatch.setattr(spacing, "CHUNK_ROWS", chunk)
    assert sample_spacing(times).tolist() == complete.tolist()
    assert complete[5:].tolist() == [np.median(np.diff(times)[row - 5 : row]) for row in range(5, 20)]


def test_gap_is_several_spacings_long():
    assert follows_gap(np.array([10.0, 25.0, 26.0]), np.full(3, 10.0)).tolist() == [False, False, True]
