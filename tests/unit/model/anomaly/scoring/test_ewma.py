"""Exponentially weighted moving averages."""

from itertools import pairwise

import numpy as np
import pytest

from model.anomaly.scoring.ewma import Ewma

pytestmark = pytest.mark.unit

HALF_LIVES = np.array([2.0, 2.0, 90.0])


def reference_average(x, present, half_life):
    """Return the weighted mean of the values so far by its definition."""
    decay = 0.5 ** (1 / half_life)
    total = weight = 0.0
    averages = []
    for value, is_present in zip(x, present, strict=True):
        if is_present:
            total = decay * total + (1 - decay) * value
            weight = decay * weight + (1 - decay)
        averages.append(total / weight if weight else 0.0)
    return np.array(averages)


@pytest.fixture(params=[0.0, 0.3], ids=["complete", "with missing values"])
def series(request):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(700, 3))
    present = rng.random((700, 3)) >= request.param
    expected = [reference_average(x[:, j], present[:, j], half_life) for j, half_life in enumerate(HALF_LIVES)]
    return x, present, np.stack(expected, axis=1)


@pytest.mark.parametrize(
    "bounds", [[0, 700], [0, 1, 300, 700], list(range(701))], ids=["at once", "in batches", "row by row"]
)
def test_ewma_equals_weighted_mean_for_every_batching(series, bounds):
    x, present, expected = series
    ewma = Ewma(HALF_LIVES)
    batches = [ewma.update(x[a:b], present[a:b]) for a, b in pairwise(bounds)]
    assert np.concatenate(batches) == pytest.approx(expected)
    assert ewma.means == pytest.approx(expected[-1])


@pytest.mark.parametrize("rows", [1, 700])
def test_previous_means_are_the_averages_before_each_row(series, rows):
    x, present, expected = series
    ewma = Ewma(HALF_LIVES)
    batches = [ewma.previous_means(x[a : a + rows], present[a : a + rows]) for a in range(0, 700, rows)]
    assert np.concatenate(batches) == pytest.approx(np.concatenate((np.zeros((1, 3)), expected[:-1])))


def test_ewma_without_observations_is_zero():
    ewma = Ewma(np.array([4.0]))
    assert ewma.means.tolist() == [0.0]
    assert ewma.update(np.full((2, 1), np.nan), np.zeros((2, 1), bool)).tolist() == [[0.0], [0.0]]
