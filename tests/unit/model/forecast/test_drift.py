"""Population stability index."""

import numpy as np
import pytest

from model.forecast.drift import population_stability_index, reference_histogram

pytestmark = pytest.mark.unit


def test_index_is_small_for_the_same_distribution_and_grows_with_the_shift():
    reference = reference_histogram(np.random.default_rng(0).normal(size=20_000))
    rng = np.random.default_rng(1)
    assert population_stability_index(rng.normal(size=5000), reference) < 0.02
    assert 0.1 < population_stability_index(rng.normal(0.4, 1, size=5000), reference) < 0.3
    assert population_stability_index(rng.normal(3, 1, size=5000), reference) > 1


def test_index_follows_its_formula():
    reference = reference_histogram(np.arange(100.0))
    values = np.concatenate([np.zeros(70), np.full(30, 99.0)])
    expected = 0.6 * np.log(7) + 0.2 * np.log(3) + 8 * (0.001 - 0.1) * np.log(0.01)
    assert population_stability_index(values, reference) == pytest.approx(expected)


def test_repeated_values_merge_bins_and_missing_values_are_ignored():
    reference = reference_histogram(np.array([0.0] * 95 + [1.0] * 5 + [np.nan] * 50))
    assert sum(reference.frequencies) == pytest.approx(1)
    assert len(reference.frequencies) == len(reference.edges) + 1
    same = np.array([0.0] * 95 + [1.0] * 5 + [np.nan])
    assert population_stability_index(same, reference) == pytest.approx(0, abs=1e-9)
    assert population_stability_index(np.array([0.0] * 5 + [1.0] * 95), reference) > 2
    assert np.isnan(population_stability_index(np.full(3, np.nan), reference))
