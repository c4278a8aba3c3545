"""Forecaster: ridge regression of each metric on its own lagged values, with cross-fitted residuals.

On labelled series of servers, inputs from the other metrics made the residuals no more informative: a regression
over all metrics has twenty times the weights, and a network with the same inputs was no better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from model.array_types import Bools, Floats, Integers

LAGS = 24
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


class Forecaster(Protocol):
    """Forecast of all metrics of a row from the rows before it, once per horizon."""

    def __call__(self, recent: Floats) -> Floats:
        """Forecast the row after the recent rows.

        Args:
            recent: (at least LOOKBACK rows, metrics), oldest row first.

        Returns:
            (len(HORIZONS) * metrics,) forecasts, grouped by horizon.
        """


@dataclass(frozen=True)
class Autoregression:
    """Linear model that forecasts each metric from its own LAGS rows that end one horizon before the row.

    Attributes:
        weights: (len(HORIZONS), LAGS + 1, metrics) weights of the inputs, oldest row first, then the intercept.
    """

    weights: Floats

    def __call__(self, recent: Floats) -> Floats:
        """Forecast the row after the recent rows; see `Forecaster`."""
        forecasts = [
            (recent[-horizon - LAGS + 1 : len(recent) - horizon + 1] * weights[:-1]).sum(axis=0) + weights[-1]
            for horizon, weights in zip(HORIZONS, self.weights, strict=True)
        ]
        return np.concatenate(forecasts)


@dataclass(frozen=True)
class VectorAutoregression:
    """Linear model that forecasts each metric from 16 rows of all metrics: the forecaster of format 2.

    Attributes:
        weights: (16 * metrics + 1, len(HORIZONS) * metrics) weights of the inputs, oldest row first, then the
            intercept; 0 for rows that a horizon does not use.
    """

    weights: Floats

    def __call__(self, recent: Floats) -> Floats:
        """Forecast the row after the recent rows; see `Forecaster`."""
        window = recent.reshape(-1)[1 - len(self.weights) :]
        return np.asarray(window @ self.weights[:-1] + self.weights[-1])


def contiguous_folds(usable: Bools) -> Integers:
    """Divide the rows into FOLDS contiguous folds with about the same number of usable rows.

    Args:
        usable: (rows,) False for rows that are left out of the fit.

    Returns:
        (rows,) fold numbers, 0 to FOLDS - 1, also of the rows that are not usable.
    """
    folds: Integers = np.cumsum(usable) * FOLDS // (int(usable.sum()) + 1)
    return folds


def fit_autoregression(z: Floats, usable: Bools) -> tuple[Autoregression, Floats]:
    """Fit a forecaster by ridge regression and compute its cross-fitted residuals.

    Args:
        z: (rows, metrics) standardized values, finite.
        usable: (rows,) False for rows to leave out of the fit, such as a gap and the rows right after it.

    Returns:
        The forecaster fitted on all usable rows, and (rows, len(HORIZONS) * metrics) cross-fitted residuals, 0 for
        the first LOOKBACK rows. The residuals of a fold come from a forecaster fitted on the other folds.
    """
    n, d = z.shape
    weights = np.zeros((len(HORIZONS), LAGS + 1, d))
    residuals = np.zeros((n, len(HORIZONS), d))
    fold_of = contiguous_folds(usable)[LOOKBACK:]
    for metric in range(d):
        weights[..., metric], residuals[LOOKBACK:, :, metric] = _fit_metric(z[:, metric], usable[LOOKBACK:], fold_of)
    return Autoregression(weights), residuals.reshape(n, -1)


def _fit_metric(z: Floats, usable: Bools, fold_of: Integers) -> tuple[Floats, Floats]:
    """Fit the forecasts of one metric.

    Args:
        z: (rows,) standardized values.
        usable: (rows - LOOKBACK,) False for rows to leave out of the fit.
        fold_of: (rows - LOOKBACK,) fold numbers.

    Returns:
        (len(HORIZONS), LAGS + 1) weights, and (rows - LOOKBACK, len(HORIZONS)) cross-fitted residuals.
    """
    windows = np.lib.stride_tricks.sliding_window_view(z[:-1], LOOKBACK)
    inputs = np.concatenate((windows, np.ones((len(windows), 1))), axis=1)
    targets = z[LOOKBACK:]
    products = np.zeros((FOLDS, LOOKBACK + 1, LOOKBACK + 2))
    for fold in range(FOLDS):
        selected = usable & (fold_of == fold)
        rows = inputs[selected]
        products[fold, :, :-1] = rows.T @ rows
        products[fold, :, -1] = rows.T @ targets[selected]
    total = products.sum(axis=0)
    weights = np.zeros((len(HORIZONS), LAGS + 1))
    residuals = np.zeros((len(targets), len(HORIZONS)))
    for i, horizon in enumerate(HORIZONS):
        end = LOOKBACK - horizon + 1
        used = np.append(np.arange(end - LAGS, end), LOOKBACK)
        weights[i] = _solve_ridge(total, used)
        for fold in range(FOLDS):
            held_out = fold_of == fold
            forecast = inputs[held_out][:, used] @ _solve_ridge(total - products[fold], used)
            residuals[held_out, i] = targets[held_out] - forecast
    return weights, residuals


def _solve_ridge(products: Floats, used: Integers) -> Floats:
    """Return the weights (used,) of one ridge regression.

    Args:
        products: (inputs, inputs + 1) sums of products of the inputs, the intercept last, and with the target.
        used: (used,) indices of the inputs that the regression uses, the intercept last.
    """
    penalty = np.full(len(used), RIDGE_PENALTY)
    penalty[-1] = INTERCEPT_PENALTY
    return np.asarray(np.linalg.solve(products[np.ix_(used, used)] + np.diag(penalty), products[used, -1]))
