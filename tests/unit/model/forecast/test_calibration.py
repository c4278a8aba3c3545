"""Calibration: penalised logistic regressions."""

import numpy as np
import pytest

from model.forecast.calibration import (
    Calibration,
    fit_blend_weights,
    fit_calibration,
    matching_intercept,
)
from model.forecast.log_odds import sigmoid

pytestmark = pytest.mark.unit


def outcomes(z, seed=0):
    return (np.random.default_rng(seed).random(len(z)) < sigmoid(z)).astype(float)


def test_fit_calibration_corrects_overconfidence():
    z = np.random.default_rng(0).normal(-1, 1.5, 20_000)
    calibration = fit_calibration(2 * z + 1, outcomes(z), block_rows=1)
    assert calibration.slope == pytest.approx(0.5, abs=0.03)
    assert calibration.intercept == pytest.approx(-0.5, abs=0.06)


def test_fit_calibration_on_few_rows_stays_near_the_identity():
    calibration = fit_calibration(np.array([-1.0, 1.0]), np.array([1.0, 0.0]), block_rows=30)
    assert calibration.slope == pytest.approx(1, abs=0.1)
    assert fit_calibration(np.array([1.0]), np.array([np.nan]), 1) == Calibration()


def test_fit_blend_weights_follow_the_informative_expert():
    rng = np.random.default_rng(0)
    z = rng.normal(-1, 1.5, 4000)
    y = (rng.random(4000) < sigmoid(z)).astype(float)
    logits = np.stack([rng.normal(size=4000), z], axis=1)
    assert fit_blend_weights(logits, y, (0.9, 0.1), 12, 6).weights == pytest.approx((0.02, 0.98), abs=0.08)
    few = fit_blend_weights(logits[:5], y[:5], (0.9, 0.1), 12, 6)
    assert few.weights == pytest.approx((0.9, 0.1), abs=0.2)


def test_fit_blend_weights_leave_out_a_negative_expert():
    rng = np.random.default_rng(0)
    z = rng.normal(-1, 1.5, 4000)
    y = (rng.random(4000) < sigmoid(z)).astype(float)
    logits = np.stack([z, -z + rng.normal(size=4000)], axis=1)
    weights = fit_blend_weights(logits, y, (0.5, 0.5), 12, 6).weights
    assert weights[0] == pytest.approx(1, abs=0.1)
    assert weights[1] == 0


def test_matching_intercept_gives_the_event_rate():
    z = np.random.default_rng(2).normal(size=1000)
    y = np.append(np.ones(100), np.zeros(900))
    assert sigmoid(z + matching_intercept(z, y)).mean() == pytest.approx(0.1, abs=1e-9)
