"""Thresholds of equal cost: counts at all thresholds at once equal counts at each threshold."""

import numpy as np
import pytest

from model.forecast.events.matching import false_warnings
from model.forecast.events.thresholds import equal_cost_threshold, following_maximum

pytestmark = pytest.mark.unit

HORIZON = 5.0


def irregular_times(rng, rows):
    return np.cumsum(rng.choice([1.0, 1.0, 2.0, 9.0], rows))


def test_following_maximum_equals_a_scan_of_each_window():
    rng = np.random.default_rng(0)
    for rows in (1, 2, 7, 200):
        at = irregular_times(rng, rows)
        values = rng.normal(size=rows)
        expected = [values[(at > t) & (at <= t + HORIZON)].max(initial=-np.inf) for t in at]
        np.testing.assert_array_equal(following_maximum(at, values, HORIZON), expected)
    assert following_maximum(np.empty(0), np.empty(0), HORIZON).tolist() == []


@pytest.mark.parametrize("seed", range(5))
def test_threshold_is_the_lowest_on_the_rising_branch_with_at_most_the_allowed_number(seed):
    rng = np.random.default_rng(seed)
    at = irregular_times(rng, 300)
    scores = np.round(rng.normal(size=300), 1)
    scores[rng.random(300) < 0.1] = -np.inf
    outcomes = rng.choice([0.0, 0.0, 0.0, 1.0, np.nan], 300)

    def count(threshold):
        return int(false_warnings(at, scores >= threshold, outcomes, HORIZON).sum())

    levels = np.unique(scores[np.isfinite(scores)])[::-1]
    counts = [count(level) for level in levels]
    peak = int(np.argmax(counts))
    for allowed in (0, 1, 3, 8, max(counts), max(counts) + 5):
        threshold = equal_cost_threshold(at, scores, outcomes, HORIZON, allowed)
        assert count(threshold) <= allowed
        if allowed < max(counts):
            first_excess = next(level for level, number in zip(levels, counts, strict=True) if number > allowed)
            assert threshold == np.nextafter(first_excess, np.inf)
        else:
            assert threshold == levels[peak]


def test_permanent_warning_is_not_a_warning_without_false_ones():
    at = np.arange(100.0)
    scores = np.where(at % 20 == 0, 1.0, 0.0)
    # At a threshold of 0 the only warning never ends. At 1 there are five false ones.
    assert equal_cost_threshold(at, scores, np.zeros(100), HORIZON, allowed=10) == 1.0
    assert equal_cost_threshold(at, scores, np.zeros(100), HORIZON, allowed=4) > 1.0


def test_threshold_without_a_false_warning_is_the_highest_score():
    at = np.arange(10.0)
    assert equal_cost_threshold(at, at, np.full(10, np.nan), HORIZON, allowed=2) == 9.0
    assert equal_cost_threshold(at, np.full(10, -np.inf), np.zeros(10), HORIZON, allowed=2) == np.inf
