"""Spacing of a history."""

import numpy as np
import pytest

from monitor.sampling.history_spacing import median_spacing, spacing_differs

pytestmark = pytest.mark.unit


def test_median_spacing_ignores_order_duplicates_and_gaps():
    times = np.array([900.0, 0.0, 300.0, 300.0, 600.0, 90_000.0])
    assert median_spacing(times) == 300.0


@pytest.mark.parametrize("times", [[], [0.0], [0.0, 5.0], [0.0, 0.0, 5.0]])
def test_median_spacing_needs_three_distinct_times(times):
    assert median_spacing(np.array(times)) is None


def test_median_spacing_is_that_of_the_majority_of_the_intervals():
    imported = 300.0 * np.arange(100)
    live = imported[-1] + 5.0 * np.arange(1, 102)
    assert median_spacing(np.append(imported, live[:50])) == 300.0
    assert median_spacing(np.append(imported, live)) == 5.0


@pytest.mark.parametrize(
    ("spacing", "interval", "differs"),
    [(5.0, 5.0, False), (2.0, 1.5, False), (1.0, 1.5, False), (300.0, 5.0, True), (1.0, 60.0, True)],
)
def test_spacing_differs_by_more_than_rounding(spacing, interval, differs):
    assert spacing_differs(spacing, interval) is differs
