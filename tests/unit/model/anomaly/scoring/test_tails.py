"""Tail distributions of exceedances and block maxima."""

from itertools import pairwise

import numpy as np
import pytest

from model.anomaly.scoring.tails import LogLogisticTail, fit_block_maxima, fit_tails

pytestmark = pytest.mark.unit


def test_exceedance_tails_extrapolate_exponential_distribution():
    x = np.random.default_rng(2).exponential(size=(200_000, 1))
    tails = fit_tails(x, np.ones(x.shape, bool))
    # An exponential tail: -log P(X > x) = x.
    assert tails.surprisal(np.array([[6.0], [9.0]]))[:, 0] == pytest.approx([6.0, 9.0], rel=0.12)
    assert tails.surprisal(np.zeros((1, 1))).tolist() == [[0.0]]


def test_exceedance_tails_increase_strictly():
    x = np.random.default_rng(2).exponential(size=(5000, 1))
    surprisals = fit_tails(x, np.ones(x.shape, bool)).surprisal(np.linspace(0, 20, 500)[:, None])[:, 0]
    assert (np.diff(surprisals) > 0).all()


def test_exceedance_tails_of_an_absent_column_are_finite():
    tails = fit_tails(np.zeros((50, 1)), np.zeros((50, 1), bool))
    assert np.isfinite(tails.surprisal(np.array([[0.0], [3.0]]))).all()


def test_return_level_is_exceeded_at_the_given_rate():
    months = (1 - np.random.default_rng(3).random((400, 120))) ** (-0.5)
    exceedances = [
        (current > fit_block_maxima(previous).return_level(2 / 120)).sum() for previous, current in pairwise(months)
    ]
    assert np.mean(exceedances) == pytest.approx(2.0, rel=0.25)


def test_fit_block_maxima_returns_none_for_fewer_than_three():
    assert fit_block_maxima(np.ones(2)) is None


def test_log_logistic_tail_passes_through_its_point_and_decreases():
    tail = LogLogisticTail(7.0, 1 / 60)
    assert tail.exceedance_probability(7.0) == pytest.approx(1 / 60)
    assert tail.exceedance_probability(0.0) == 1.0
    probabilities = [tail.exceedance_probability(x) for x in (3.0, 7.0, 200.0)]
    assert probabilities == sorted(probabilities, reverse=True)
    assert probabilities[-1] > 0
