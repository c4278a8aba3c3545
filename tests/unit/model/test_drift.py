"""What is like the training does not drift, and what is not does."""

import numpy as np
import pytest

from model.forecast.drift import population_stability_index, reference_histogram

pytestmark = pytest.mark.unit

THEN = np.random.default_rng(0).normal(size=20_000)


def test_the_same_distribution_does_not_drift_and_another_does():
    of = reference_histogram(THEN)
    rng = np.random.default_rng(1)
    assert population_stability_index(rng.normal(size=5000), of) < 0.02
    assert 0.1 < population_stability_index(rng.normal(0.4, 1, size=5000), of) < 0.3
    assert population_stability_index(rng.normal(3, 1, size=5000), of) > 1


def test_it_is_the_sum_of_its_formula():
    of = reference_histogram(np.arange(100.0))
    now = np.concatenate([np.zeros(70), np.full(30, 99.0)])
    expected = 0.6 * np.log(7) + 0.2 * np.log(3) + 8 * (0.001 - 0.1) * np.log(0.01)
    assert population_stability_index(now, of) == pytest.approx(expected)


def test_values_that_repeat_have_fewer_bins_and_missing_ones_do_not_count():
    of = reference_histogram(np.array([0.0] * 95 + [1.0] * 5 + [np.nan] * 50))
    assert sum(of["shares"]) == pytest.approx(1)
    assert population_stability_index(np.array([0.0] * 95 + [1.0] * 5 + [np.nan]), of) == pytest.approx(0, abs=1e-9)
    assert population_stability_index(np.array([0.0] * 5 + [1.0] * 95), of) > 2
    assert np.isnan(population_stability_index(np.full(3, np.nan), of))
