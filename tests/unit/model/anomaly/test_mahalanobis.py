"""Mahalanobis distance."""

import numpy as np
import pytest

from model.anomaly.mahalanobis import SINGLE_METRIC_LAGS, fit_mahalanobis, stack_lags

pytestmark = pytest.mark.unit


def test_distance_is_larger_across_the_correlation_than_along_it():
    rng = np.random.default_rng(5)
    x = rng.normal(size=4000)
    z = np.stack([x, x + 0.1 * rng.normal(size=4000)], axis=1)
    distance, cross_fitted = fit_mahalanobis(z, np.ones(4000, bool))
    along = distance(np.array([[2.0, 2.0]]))[0]
    across = distance(np.array([[1.0, -1.0]]))[0]
    assert across > 5 * along
    assert cross_fitted.mean() == pytest.approx(1.0, rel=0.5)


def test_single_metric_is_stacked_with_its_past():
    z = np.random.default_rng(6).normal(size=(500, 1))
    distance, _ = fit_mahalanobis(z, np.ones(500, bool))
    assert distance.lags == SINGLE_METRIC_LAGS
    assert distance(stack_lags(z, SINGLE_METRIC_LAGS)).shape == (500,)


def test_stack_lags_repeats_the_first_row():
    z = np.array([[1.0], [2.0], [3.0]])
    assert stack_lags(z, 2).tolist() == [[1.0, 1.0], [1.0, 2.0], [2.0, 3.0]]
    assert stack_lags(z, 1) is z
