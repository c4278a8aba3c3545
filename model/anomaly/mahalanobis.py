"""Mahalanobis distance: deviation of rows from the history, given the correlations of the metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.anomaly.forecaster import FOLDS, contiguous_folds
from model.array_types import Bools, Floats

MIN_VARIANCE_SHARE = 1e-3
"""Lower bound of the variance of a principal direction, relative to the largest variance."""

SINGLE_METRIC_LAGS = 32
"""Number of rows stacked into one vector if there is only one metric: a single value has no correlations."""


@dataclass(frozen=True)
class MahalanobisDistance:
    """Squared Mahalanobis distance from the mean of the history, divided by the dimension of the vectors.

    Attributes:
        lags: number of consecutive rows that are stacked into one vector.
        mean: (lags * metrics,) mean of the vectors.
        whitening: (lags * metrics, lags * metrics) principal directions, scaled to unit variance.
    """

    lags: int
    mean: Floats
    whitening: Floats

    def __call__(self, x: Floats) -> Floats:
        """Return the squared distance per dimension (rows,) of stacked vectors (rows, lags * metrics)."""
        return np.asarray(np.square((x - self.mean) @ self.whitening).mean(axis=1))


def stack_lags(z: Floats, lags: int) -> Floats:
    """Stack each row with the `lags` - 1 rows before it, oldest first.

    Args:
        z: (rows, metrics); the first row also replaces the missing rows before it.
        lags: number of rows per vector.

    Returns:
        (rows, lags * metrics).
    """
    if lags == 1:
        return z
    padded = np.concatenate((np.repeat(z[:1], lags - 1, axis=0), z))
    view = np.lib.stride_tricks.sliding_window_view(padded, lags, axis=0)
    return np.ascontiguousarray(view.transpose(0, 2, 1)).reshape(len(z), -1)


def fit_mahalanobis(z: Floats, usable: Bools) -> tuple[MahalanobisDistance, Floats]:
    """Fit a Mahalanobis distance, and compute the cross-fitted distances of the rows.

    Args:
        z: (rows, metrics) standardized values, finite.
        usable: (rows,) False for rows to leave out of the fit.

    Returns:
        The distance fitted on all usable rows, and (rows,) cross-fitted distances. The distances of a fold come from
        a fit on the other folds.
    """
    lags = SINGLE_METRIC_LAGS if z.shape[1] == 1 else 1
    x = stack_lags(z, lags)
    fold_of = contiguous_folds(usable)
    distances = np.zeros(len(z))
    for fold in range(FOLDS):
        distances[fold_of == fold] = _fit(x[usable & (fold_of != fold)], lags)(x[fold_of == fold])
    return _fit(x[usable], lags), distances


def _fit(x: Floats, lags: int) -> MahalanobisDistance:
    """Fit a distance to vectors (rows, lags * metrics) by an eigendecomposition of their covariance.

    Variances below MIN_VARIANCE_SHARE times the largest variance are raised to this bound.
    """
    variances, directions = np.linalg.eigh(np.atleast_2d(np.cov(x.T)))
    floored = np.maximum(variances, MIN_VARIANCE_SHARE * variances[-1] + 1e-9)
    return MahalanobisDistance(lags, x.mean(axis=0), directions / np.sqrt(floored))
