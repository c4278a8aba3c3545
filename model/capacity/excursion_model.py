"""Excursion model: distribution of the excursion of one resource within one horizon.

A robust ridge regression predicts the excursion. The distribution around it is that of the cross-fitted residuals at
times with similar features. Both are shrunk towards those of other resources, so that a resource without history has
a prediction too. Excursions of neighbouring times overlap: those of one horizon count as one observation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Floats, Integers
from model.capacity.excursions import Excursions
from model.capacity.prior import ExcursionPrior
from model.forecast.log_odds import logit, sigmoid

FOLDS = 4
"""Number of contiguous parts of the history; the residuals of each are those of a fit to the others."""

MAX_ROWS = 512
"""Largest number of evenly spaced rows of a fit: neighbouring rows have nearly the same excursion."""

WEIGHT_PRIOR_BLOCKS = 6.0
"""Weight of the prior regression weights, in horizons of history."""

RESIDUAL_PRIOR_BLOCKS = 0.2
"""Weight of the prior residuals, in horizons of history with the same features."""

HALF_LIFE_HORIZONS = 28.0
"""Age in horizons after which the weight of an excursion is halved."""

SIMILARITY_SCALE = 0.5
"""Distance of features, as square roots, at which the weight of a residual falls to 1/e."""

MAX_TARGET = 10.0
"""Largest excursion over activity in the regression; residuals are not limited."""

HUBER_DELTA = 0.3
"""Residual in units of the activity above which the loss grows linearly (Huber 1964)."""

REWEIGHTED_FITS = 4
"""Number of reweighted fits of the robust regression."""

BANDWIDTH = 0.05
"""Scale of the logistic kernel that smooths the residuals, in units of the activity."""


@dataclass(frozen=True)
class ExcursionModel:
    """Fitted distribution of the excursion.

    Attributes:
        weights: (features,) regression weights.
        inputs: (m, features) features of the fitted times.
        residuals: (m,) residual of each fitted time in units of the activity.
        blocks: (m,) weight of each residual, in horizons of history.
        prior: distribution of other resources.
    """

    weights: Floats
    inputs: Floats
    residuals: Floats
    blocks: Floats
    prior: ExcursionPrior

    def probability(self, features: Floats, margin: float) -> float:
        """Return the probability that the excursion reaches a margin.

        Args:
            features: (features,) of one time.
            margin: distance to the limit in units of the activity.
        """
        missing = margin - float(features @ self.weights)
        own = self._similar(features)
        reached = sigmoid((self.residuals - missing) / BANDWIDTH)
        prior_reached = sigmoid((self.prior.residuals - missing) / BANDWIDTH).mean()
        raw = (float(own @ reached) + RESIDUAL_PRIOR_BLOCKS * float(prior_reached)) / (
            float(own.sum()) + RESIDUAL_PRIOR_BLOCKS
        )
        return float(sigmoid(self.prior.calibration(logit(np.array(raw)))))

    def median(self, features: Floats) -> float:
        """Return the median excursion in units of the activity, at least 0, for the features of one time."""
        prior_weight = RESIDUAL_PRIOR_BLOCKS / len(self.prior.residuals)
        residuals = np.concatenate((self.residuals, self.prior.residuals))
        weights = np.concatenate((self._similar(features), np.full(len(self.prior.residuals), prior_weight)))
        order = np.argsort(residuals)
        total = np.cumsum(weights[order])
        middle = int(np.searchsorted(total, total[-1] / 2))
        return max(0.0, float(features @ self.weights) + float(residuals[order[middle]]))

    def _similar(self, features: Floats) -> Floats:
        """Return the weight (m,) of each residual for one time, in horizons of history with the same features."""
        distance = np.sqrt(((np.sqrt(self.inputs) - np.sqrt(features)) ** 2).sum(axis=1))
        return np.asarray(self.blocks * np.exp(-distance / SIMILARITY_SCALE))


def fit_excursion_model(excursions: Excursions, horizon_steps: int, prior: ExcursionPrior) -> ExcursionModel:
    """Fit the model to the excursions that have passed; without any, the model is the prior.

    Args:
        excursions: excursions of the resource.
        horizon_steps: number of rows per horizon.
        prior: distribution of other resources.
    """
    rows = training_rows(excursions)
    if not len(rows):
        empty = np.empty(0)
        return ExcursionModel(prior.weights, np.empty((0, len(prior.weights))), empty, empty, prior)
    x = excursions.features[rows]
    z = excursions.excursions[rows]
    spacing = max(1.0, float(rows[-1] - rows[0]) / max(1, len(rows) - 1))
    age = (len(excursions.excursions) - rows) / horizon_steps
    blocks = 0.5 ** (age / HALF_LIFE_HORIZONS) * (spacing / horizon_steps)
    return ExcursionModel(
        weights=regression_weights(x, z, blocks, prior.weights),
        inputs=x,
        residuals=z - cross_fitted(x, z, blocks, horizon_steps / spacing, prior.weights),
        blocks=blocks,
        prior=prior,
    )


def training_rows(excursions: Excursions) -> Integers:
    """Return the positions of at most MAX_ROWS rows whose excursion and features are known."""
    known = np.flatnonzero(~np.isnan(excursions.excursions) & ~np.isnan(excursions.features[:, 0]))
    stride = max(1, -(-len(known) // MAX_ROWS))
    return np.asarray(known[::-1][::stride][::-1])


def regression_weights(x: Floats, z: Floats, blocks: Floats, prior: Floats) -> Floats:
    """Return the weights (features,) of a robust ridge regression that is shrunk towards prior weights.

    The Huber loss is minimised by reweighted least squares.

    Args:
        x: (rows, features).
        z: (rows,) excursions; those above MAX_TARGET count as MAX_TARGET.
        blocks: (rows,) weight of each row, in horizons of history.
        prior: (features,) weights to shrink towards.
    """
    target = np.minimum(z, MAX_TARGET)
    gap = target - x @ prior
    penalty = WEIGHT_PRIOR_BLOCKS * np.eye(len(prior))
    weights = prior
    for _ in range(REWEIGHTED_FITS):
        size = np.abs(target - x @ weights)
        weighted = x * (blocks * np.minimum(1.0, HUBER_DELTA / np.maximum(size, HUBER_DELTA)))[:, None]
        weights = prior + np.linalg.solve(weighted.T @ x + penalty, weighted.T @ gap)
    return np.asarray(weights)


def cross_fitted(x: Floats, z: Floats, blocks: Floats, embargo: float, prior: Floats) -> Floats:
    """Return predictions (rows,) of fits that have seen neither the rows of the same part nor overlapping ones.

    Args:
        x: (rows, features).
        z: (rows,) excursions.
        blocks: (rows,) weight of each row.
        embargo: number of rows in a horizon.
        prior: (features,) weights to shrink towards.
    """
    n = len(z)
    index = np.arange(n)
    predicted = np.empty(n)
    for fold in range(FOLDS):
        start = fold * n // FOLDS
        end = (fold + 1) * n // FOLDS
        others = (index < start - embargo) | (index >= end + embargo)
        weights = regression_weights(x[others], z[others], blocks[others], prior)
        predicted[start:end] = x[start:end] @ weights
    return predicted
