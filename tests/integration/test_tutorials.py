"""What tutorials on networks from scratch end with is learned here on every seed, as well as it can be."""

import statistics

import numpy as np
import pytest

from benchmarks import examples, tutorials

pytestmark = pytest.mark.integration

SEEDS = range(tutorials.SEEDS)


def test_xor_is_learned_with_four_hidden_units_on_nearly_every_seed_and_with_eight_on_all():
    assert sum(examples.xor(4, seed) == 1 for seed in SEEDS) >= 18
    assert all(examples.xor(8, seed) == 1 for seed in SEEDS)


def test_circles_are_told_apart_as_well_as_scikit_learn_does():
    own, peer = [], []
    for seed in SEEDS:
        data = examples.circles(seed)
        own.append(examples.accuracy(examples.circles_learned(data, seed), data.test_x, data.test_y))
        peer.append(examples.circles_of_sklearn(data, seed))
    assert statistics.mean(own) >= statistics.mean(peer) - 0.01


def test_digits_are_read_and_penalties_and_dropout_shrink_the_gap():
    plain, penalised, dropped = [], [], []
    for seed in SEEDS:
        data = examples.digits(seed)
        plain.append(examples.digits_learned(data, seed))
        penalised.append(examples.digits_learned(data, seed, l2=1e-3))
        dropped.append(examples.digits_learned(data, seed, dropout=0.3))
    gaps = [statistics.mean(g.gap for g in result) for result in (plain, penalised, dropped)]
    for result in (plain, penalised, dropped):
        assert statistics.mean(g.accuracy for g in result) >= 0.97
    assert max(gaps[1:]) < 0.9 * gaps[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_server_load_is_told_on_every_seed(seed):
    marks = examples.server_load_learned(examples.server_load(seed), seed)
    assert marks.accuracy >= 0.965
    assert marks.recall >= 0.93
    assert marks.precision >= 0.95


def test_the_flaw_of_the_tutorials_costs_what_is_said():
    taught = [examples.server_load_taught(examples.server_load(seed), seed) for seed in range(6)]
    assert statistics.mean(m.accuracy for m in taught) < 0.96


@pytest.mark.parametrize("use", [examples.request_rate, examples.log_lines, examples.scaling])
def test_the_other_uses_are_learned(use):
    assert np.mean([use(seed) for seed in range(3)]) >= 0.9
