"""Tutorial examples reach their accuracy on every seed."""

import statistics

import numpy as np
import pytest

from benchmarks.networks import examples, naive, operations
from benchmarks.tutorials import SEEDS

pytestmark = pytest.mark.integration

COMPARISON_SEEDS = 10
"""Seeds of the tests that train many networks; `benchmarks.tutorials --check` uses SEEDS."""


def test_xor_is_learned_with_four_hidden_units_on_18_of_20_seeds():
    assert sum(examples.xor_accuracy(4, seed) == 1 for seed in range(SEEDS)) >= 18


def test_xor_is_learned_with_eight_hidden_units_on_every_seed():
    assert all(examples.xor_accuracy(8, seed) == 1 for seed in range(SEEDS))


def test_circles_accuracy_is_at_least_that_of_scikit_learn():
    library, sklearn = [], []
    for seed in range(COMPARISON_SEEDS):
        data = examples.circles_data(seed)
        library.append(examples.accuracy(examples.train_circles(data, seed), data.test_x, data.test_y))
        sklearn.append(examples.circles_accuracy_of_sklearn(data, seed))
    assert statistics.mean(library) >= statistics.mean(sklearn) - 0.01


def test_l2_and_dropout_reduce_the_generalisation_gap_on_digits():
    gaps = {}
    for name, settings in {"plain": {}, "l2": {"l2": 1e-3}, "dropout": {"dropout": 0.3}}.items():
        scores = [
            examples.digits_score(examples.digits_data(seed), seed, **settings) for seed in range(COMPARISON_SEEDS)
        ]
        assert statistics.mean(score.accuracy for score in scores) >= 0.97
        gaps[name] = statistics.mean(score.gap for score in scores)
    assert max(gaps["l2"], gaps["dropout"]) < 0.9 * gaps["plain"]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_server_load_is_classified_on_every_seed(seed):
    score = examples.server_load_score(examples.server_load_data(seed), seed)
    assert score.accuracy >= 0.965
    assert score.recall >= 0.93
    assert score.precision >= 0.95


def test_naive_training_misclassifies_server_load():
    scores = [naive.naive_server_load_score(examples.server_load_data(seed), seed) for seed in range(6)]
    assert statistics.mean(score.accuracy for score in scores) < 0.96


@pytest.mark.parametrize(
    "example", [operations.rate_limit_accuracy, operations.log_line_accuracy, operations.scaling_accuracy]
)
def test_operations_example_is_learned(example):
    assert np.mean([example(seed) for seed in range(3)]) >= 0.9
