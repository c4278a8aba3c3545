"""Linear forecaster: ridge regression of all metrics on their lagged values, with cross-fitted residuals.

On host metrics a network with the same inputs was no more accurate than ridge regression, and a network without a
linear path was less accurate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats, Integers

LAGS = 12
"""Number of past rows that one forecast uses as input."""

HORIZONS = (1, 5)
"""Forecast horizons in rows."""

LOOKBACK = LAGS + max(HORIZONS) - 1
"""Number of rows before a row that the forecasts of the row use, over all horizons."""

RIDGE_PENALTY = 10.0
"""Ridge penalty on the weights, added to the diagonal of the Gram matrix of the standardized inputs."""

INTERCEPT_PENALTY = 1e-6
"""Ridge penalty on the intercept: keeps the normal equations solvable."""

FOLDS = 3
"""Number of contiguous folds of the history; the residuals of a fold come from a model fitted on the other folds."""

BATCH_ROWS = 4096
"""Number of rows whose lagged windows are built at once; bounds the memory of the windows."""


@dataclass(frozen=True)
class LinearForecaster:
    """Linear model that forecasts all metrics of a row from the LOOKBACK rows before it, once per horizon.

    Attributes:
        weights: (LOOKBACK * metrics + 1, len(HORIZONS) * metrics) weights of the inputs, from the oldest row to the
            newest, then the intercept; 0 for rows that a horizon does not use.
    """

    weights: Floats

    def __call__(self, windows: Floats) -> Floats:
        """Forecast each row from the LOOKBACK rows before it.

        Args:
            windows: (rows, LOOKBACK * metrics), see `lagged_windows`.

        Returns:
            (rows, len(HORIZONS) * metrics) forecasts, grouped by horizon.
        """
        return np.asarray(windows @ self.weights[:-1] + self.weights[-1])


def lagged_windows(z: Floats) -> Iterator[tuple[slice, Floats]]:
    """Yield the window of LOOKBACK rows before each row, in batches of at most BATCH_ROWS rows.

    Args:
        z: (rows, metrics), finite.

    Yields:
        The slice of `z` that a batch covers, and its windows (batch, LOOKBACK * metrics), oldest row first. The first
        batch begins at row LOOKBACK.
    """
    n, d = z.shape
    for start in range(LOOKBACK, n, BATCH_ROWS):
        end = min(start + BATCH_ROWS, n)
        view = np.lib.stride_tricks.sliding_window_view(z[start - LOOKBACK : end - 1], LOOKBACK, axis=0)
        yield slice(start, end), np.ascontiguousarray(view.transpose(0, 2, 1)).reshape(end - start, LOOKBACK * d)


def contiguous_folds(usable: Bools) -> Integers:
    """Divide the rows into FOLDS contiguous folds with about the same number of usable rows.

    Args:
        usable: (rows,) False for rows that are left out of the fit.

    Returns:
        (rows,) fold numbers, 0 to FOLDS - 1, also of the rows that are not usable.
    """
    folds: Integers = np.cumsum(usable) * FOLDS // (int(usable.sum()) + 1)
    return folds


def fit_forecaster(z: Floats, usable: Bools) -> tuple[LinearForecaster, Floats]:
    """Fit a forecaster by ridge regression and compute its cross-fitted residuals.

    Args:
        z: (rows, metrics) standardized values, finite.
        usable: (rows,) False for rows to leave out of the fit, such as a gap and the LOOKBACK rows after it.

    Returns:
        The forecaster fitted on all usable rows, and (rows, len(HORIZONS) * metrics) cross-fitted residuals, 0 for
        the first LOOKBACK rows. The residuals of a fold come from a forecaster fitted on the other folds.
    """
    n, d = z.shape
    width = LOOKBACK * d + 1
    fold_of = contiguous_folds(usable)
    grams = np.zeros((FOLDS, width, width))
    crosses = np.zeros((FOLDS, width, d))
    for rows, windows in lagged_windows(z):
        inputs = np.concatenate((windows, np.ones((len(windows), 1))), axis=1)
        for fold in np.unique(fold_of[rows]):
            selected = usable[rows] & (fold_of[rows] == fold)
            grams[fold] += inputs[selected].T @ inputs[selected]
            crosses[fold] += inputs[selected].T @ z[rows][selected]
    held_out = [
        _solve_ridge(grams.sum(0) - gram, crosses.sum(0) - cross, d)
        for gram, cross in zip(grams, crosses, strict=True)
    ]
    residuals = np.zeros((n, len(HORIZONS) * d))
    targets = np.tile(z, (1, len(HORIZONS)))
    for rows, windows in lagged_windows(z):
        for fold in np.unique(fold_of[rows]):
            selected = fold_of[rows] == fold
            residuals[rows][selected] = targets[rows][selected] - held_out[fold](windows[selected])
    return _solve_ridge(grams.sum(0), crosses.sum(0), d), residuals


def _solve_ridge(gram: Floats, cross: Floats, metrics: int) -> LinearForecaster:
    """Fit a forecaster: solve the normal equations of one ridge regression per horizon.

    The inputs at a horizon of h rows are the LAGS rows that end h rows before the forecast row.

    Args:
        gram: (inputs, inputs) sums of products of the inputs, the intercept last.
        cross: (inputs, metrics) sums of products of inputs and targets.
        metrics: number of metrics.
    """
    weights = np.zeros((len(gram), len(HORIZONS) * metrics))
    for i, horizon in enumerate(HORIZONS):
        end = LOOKBACK - horizon + 1
        inputs = np.append(np.arange((end - LAGS) * metrics, end * metrics), len(gram) - 1)
        penalty = np.full(len(inputs), RIDGE_PENALTY)
        penalty[-1] = INTERCEPT_PENALTY
        regularised = gram[np.ix_(inputs, inputs)] + np.diag(penalty)
        weights[inputs, i * metrics : (i + 1) * metrics] = np.linalg.solve(regularised, cross[inputs])
    return LinearForecaster(weights)
