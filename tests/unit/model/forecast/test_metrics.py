"""Scores of probabilistic predictions."""

import numpy as np
import pytest

from model.forecast.metrics import average_precision, brier, calibration_error, score

pytestmark = pytest.mark.unit


def test_average_precision_by_hand():
    # Ranked 1, 0, 1: precision 1 at recall 1/2, 2/3 at recall 1.
    assert average_precision(np.array([1.0, 0, 1]), np.array([0.9, 0.8, 0.7])) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_average_precision_of_ties_is_the_base_rate():
    assert average_precision(np.array([1.0, 0, 0, 0]), np.full(4, 0.5)) == 0.25


def test_average_precision_without_events_is_nan():
    assert np.isnan(average_precision(np.zeros(3), np.zeros(3)))


def test_calibration_error_by_hand():
    y = np.array([1.0, 0, 1, 0])
    p = np.array([0.85, 0.85, 0.15, 0.15])
    assert calibration_error(y, p) == pytest.approx(0.35)


def test_scores_of_no_rows_are_nan():
    assert np.isnan(brier(np.empty(0), np.empty(0)))
    assert np.isnan(calibration_error(np.empty(0), np.empty(0)))


def test_skill_is_the_reduction_of_the_brier_score():
    scores = score(np.array([1.0, 0, np.nan]), np.array([0.8, 0.2, 0.5]), base_rate=0.5)
    assert scores.brier == pytest.approx(0.04)
    assert scores.brier_skill == pytest.approx(1 - 0.04 / 0.25)
