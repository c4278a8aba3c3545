"""Calibration: scales of residuals with outliers, and quantiles of the running averages."""

import numpy as np
import pytest

from model.anomaly.scoring.calibration import MIN_RESIDUAL_SCALE, calibrate
from model.anomaly.scoring.overall import AVERAGES

pytestmark = pytest.mark.unit


def test_calibrate_scales_residuals_and_averages():
    rng = np.random.default_rng(1)
    residuals = rng.normal(size=(5000, 6)) * np.array([0.001, 0.5, 2.0, 0.5, 2.0, 1.0])
    present = np.ones((5000, 2), bool)
    calibration, parts = calibrate(residuals, rng.chisquare(4, 5000) / 4, present, 300.0)
    assert calibration.residual_scales[0] == MIN_RESIDUAL_SCALE
    assert calibration.residual_scales[1:] == pytest.approx([0.5, 2.0, 0.5, 2.0, 1.0], rel=0.1)
    assert calibration.overall_quantiles.shape == (AVERAGES,)
    assert (calibration.overall_quantiles > 0.5).all()
    assert 0.5 < np.quantile(parts.overall, 0.99) < 4.0


def test_missing_metric_has_the_smallest_scale():
    residuals = np.random.default_rng(2).normal(size=(500, 6))
    present = np.ones((500, 2), bool)
    present[:, 1] = False
    calibration, _ = calibrate(residuals, np.ones(500), present, 300.0)
    assert (calibration.residual_scales[1::2] == MIN_RESIDUAL_SCALE).all()
