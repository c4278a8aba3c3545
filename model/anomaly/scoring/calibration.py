"""Calibration of score parts: residual scales, quantiles and tails from the history."""

from __future__ import annotations

import numpy as np

from model.anomaly.scoring.channels import AnomalyScorer, ScoreCalibration, ScoreParts
from model.anomaly.scoring.tails import fit_tails
from model.array_types import Bools, Floats

CALIBRATION_QUANTILE = 0.99
"""Quantile of a running average in the history that counts as 1."""

MIN_QUANTILE = 1e-3
"""Lower bound of such a quantile."""

MIN_RESIDUAL_SCALE = 0.05
"""Lower bound of a residual scale, in standard deviations of the metric."""

NORMAL_Q99 = 2.6
"""99th percentile of the absolute value of a standard normal variable, rounded."""


def calibrate(
    residuals: Floats, distances: Floats, present: Bools, step: float
) -> tuple[ScoreCalibration, ScoreParts]:
    """Fit the residual scales, the energy quantiles and the tails on cross-fitted residuals and distances.

    Args:
        residuals: (rows, views * metrics), grouped by view: the forecast horizons and the seasonal profile.
        distances: (rows,) Mahalanobis distances.
        present: (rows, metrics), False where a value is not scored.
        step: row interval in seconds.

    Returns:
        The calibration, and the score parts of the history.
    """
    usable = np.asarray(present.any(axis=1))
    scorer = AnomalyScorer(present.shape[1], step)
    views = residuals.shape[1] // present.shape[1]
    scales = _residual_scales(residuals, np.concatenate((present,) * views, axis=1))
    averages = scorer.average(scorer.residual_energy(residuals, present, scales), present, distances)
    calibration = ScoreCalibration(
        residual_scales=scales,
        energy_quantiles=_quantiles(averages.host[usable]),
        tails=fit_tails(averages.by_metric, np.concatenate((present, present, present), axis=1)),
        overall_quantiles=None if averages.overall is None else _quantiles(averages.overall[usable]),
    )
    return calibration, scorer.score_parts(averages, present, calibration)


def _quantiles(averages: Floats) -> Floats:
    """Return the quantile (columns,) at CALIBRATION_QUANTILE of averages (rows, columns); at least MIN_QUANTILE."""
    return np.maximum(np.quantile(averages, CALIBRATION_QUANTILE, axis=0), MIN_QUANTILE)


def _residual_scales(residuals: Floats, present: Bools) -> Floats:
    """Return the scale (columns,) of the present residuals (rows, columns); at least MIN_RESIDUAL_SCALE.

    The scale is the geometric mean of the standard deviation and (99th percentile of |residual|) / NORMAL_Q99.
    """
    scales = np.full(residuals.shape[1], MIN_RESIDUAL_SCALE)
    for column in range(residuals.shape[1]):
        observed = residuals[present[:, column], column]
        if len(observed):
            variance = max(observed.std(), 1e-9) * np.quantile(np.abs(observed), 0.99) / NORMAL_Q99
            scales[column] = max(MIN_RESIDUAL_SCALE, np.sqrt(variance))
    return scales
