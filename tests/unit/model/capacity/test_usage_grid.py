"""Usage grid: slots, gaps and sliding maxima."""

import numpy as np
import pytest

from model.capacity.usage_grid import (
    UsageGrid,
    filled_forward,
    future_maximum,
    known_counts,
    past_maximum,
    usage_grid,
)

pytestmark = pytest.mark.unit


def test_usage_grid_has_a_hole_for_a_gap_and_the_largest_peak_of_a_step():
    times = np.array([0.0, 300.0, 310.0, 1200.0])
    grid = usage_grid(times, np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 9.0, 3.0, 4.0]), 300.0)
    np.testing.assert_array_equal(grid.values, [1, 3, np.nan, np.nan, 4])
    np.testing.assert_array_equal(grid.peaks, [1, 9, np.nan, np.nan, 4])
    assert len(usage_grid(np.empty(0), np.empty(0), np.empty(0), 300.0).values) == 0


@pytest.mark.parametrize("width", [1, 2, 3, 7, 40])
def test_past_maximum_equals_a_loop(width):
    values = np.random.default_rng(0).normal(size=30)
    values[4:6] = np.nan
    expected = [
        max(filter(lambda v: not np.isnan(v), values[max(0, i - width + 1) : i + 1]), default=-np.inf)
        for i in range(30)
    ]
    np.testing.assert_array_equal(past_maximum(values, width), expected)


def test_future_maximum_is_unknown_at_the_end_and_where_most_of_the_interval_is():
    values = np.array([1.0, 5.0, 2.0, np.nan, np.nan, 3.0, 1.0, 1.0, 1.0])
    grid = UsageGrid(300.0, values, values)
    np.testing.assert_array_equal(
        future_maximum(grid, 4), [np.nan, np.nan, np.nan, 3, 3, np.nan, np.nan, np.nan, np.nan]
    )


def test_known_counts_and_filled_forward():
    known = np.array([True, False, True, True])
    np.testing.assert_array_equal(known_counts(known, 2), [1, 1, 1, 2])
    np.testing.assert_array_equal(filled_forward(np.array([np.nan, 2.0, np.nan, 3.0])), [2, 2, 2, 3])
