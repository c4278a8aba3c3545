"""Predictor: probabilities of a trained model."""

import numpy as np
import pytest

from model.forecast.predictor import predict_at
from tests.unit.model.conftest import COLUMNS

pytestmark = pytest.mark.unit


def test_probabilities_do_not_decrease_with_the_horizon(candidate):
    p = candidate.predictor.probabilities(candidate.holdout.x)
    assert ((p > 0) & (p < 1)).all()
    assert np.all(np.diff(p, axis=1) >= 0)


def test_outlier_changes_the_prediction_by_a_bounded_amount(candidate):
    x = np.full_like(candidate.holdout.x[:1], 1e30)
    with np.errstate(over="ignore"):
        assert np.isfinite(candidate.predictor.probabilities(x)).all()


def test_predict_at_uses_no_later_sample(candidate, trace):
    times, values = trace
    at = times[1000:2000:100]
    expected = predict_at(candidate.predictor, times, values, at)
    assert np.array_equal(predict_at(candidate.predictor, times[:2000], values[:2000], at), expected)
    assert expected.shape == (10, 2)


def test_is_high_reads_the_state_of_the_last_sample(candidate):
    assert np.array_equal(candidate.predictor.is_high(candidate.holdout.x), candidate.holdout.state == 1)


def test_fused_predictor_predicts_the_same_without_its_holdout_model(candidate):
    fused = candidate.predictor.fused()
    x = candidate.holdout.x
    assert fused.probabilities(x) == pytest.approx(candidate.predictor.probabilities(x), abs=1e-5)
    assert fused.holdout_model is None
    assert fused.spec.columns == COLUMNS
