"""Tests of `model.array_types`."""

import numpy as np
import pytest

from model.array_types import aligned_zeros, constant, distinct, median, stacked

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("size", [1, 17, 5000])
def test_aligned_zeros_start_at_a_cache_line(size):
    zeros = aligned_zeros(size, np.float32)
    assert zeros.shape == (size,)
    assert zeros.dtype == np.float32
    assert not zeros.any()
    assert zeros.ctypes.data % 64 == 0


def test_constant_is_shared_and_read_only():
    array = constant(0.5, (3,), np.dtype(np.float32))
    assert array.tolist() == [0.5, 0.5, 0.5]
    assert constant(0.5, (3,), np.dtype(np.float32)) is array
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


@pytest.mark.parametrize("size", range(1, 12))
def test_median_equals_that_of_numpy(size):
    values = np.random.default_rng(size).normal(size=size)
    before = values.copy()
    assert median(values) == np.median(values)
    assert np.array_equal(values, before)


def test_distinct_values_are_sorted():
    assert distinct(np.array([3.0, 1.0, 3.0, 2.0, 1.0])).tolist() == [1.0, 2.0, 3.0]
    assert distinct(np.array([])).tolist() == []


@pytest.mark.parametrize("count", [1, 2, 3])
def test_stacked_arrays_equal_those_of_numpy(count):
    arrays = [np.arange(6.0).reshape(2, 3) + number for number in range(count)]
    assert np.array_equal(stacked(arrays), np.stack(arrays))
