"""Curves of the backtest plot."""

import numpy as np
import pytest

from monitor.reports.plots import precision_recall_curve, reliability_curve

pytestmark = pytest.mark.unit


def test_reliability_curve_has_a_point_per_used_bin():
    predicted, observed = reliability_curve(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.05, 0.05, 0.95, 1.0]))
    assert predicted == pytest.approx([0.05, 0.975])
    assert observed == [0.0, 1.0]


def test_precision_recall_curve_takes_equal_probabilities_together():
    recall, precision = precision_recall_curve(np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.5, 0.5, 0.1]))
    assert recall == [0.5, 1.0, 1.0]
    assert precision == pytest.approx([1.0, 2 / 3, 0.5])
