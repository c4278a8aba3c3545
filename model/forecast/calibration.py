"""Calibration: logistic regressions on logits, shrunk towards prior weights.

Neighbouring rows have correlated outcomes, so a block of rows counts as one observation. `prior_blocks` is the
effective sample size, in blocks, at which data and prior count equally.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.forecast.log_odds import sigmoid

MAX_SLOPE = 2.0
MIN_SLOPE = 0.05
"""Limits of a fitted slope, so that few outcomes cannot reverse the ranking or make predictions extreme."""

MAX_STEPS = 50
"""Largest number of Newton steps of a fit."""


@dataclass(frozen=True)
class Calibration:
    """Platt scaling: calibrated logit = slope * logit + intercept (Platt 1999)."""

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, z: Floats) -> Floats:
        """Return the calibrated logits (float64) for logits of any shape."""
        return np.asarray(self.slope * z.astype(np.float64) + self.intercept)


@dataclass(frozen=True)
class BlendWeights:
    """Logistic regression on expert logits: blended logit = weighted sum + intercept."""

    weights: tuple[float, ...]
    intercept: float = 0.0


def fit_calibration(
    z: Floats, y: Floats, block_rows: float, weight: Floats | None = None, prior_blocks: float = 4.0
) -> Calibration:
    """Fit slope and intercept by penalised maximum likelihood, shrunk towards slope 1 and intercept 0.

    The slope is clipped to [MIN_SLOPE, MAX_SLOPE]. If no label is known, the result is the identity.

    Args:
        z: (rows,) logits.
        y: (rows,) labels, NaN if unknown.
        block_rows: number of neighbouring rows that count as one observation.
        weight: (rows,) weight of each row; None for equal weights.
        prior_blocks: weight of the prior, in blocks.
    """
    known = ~np.isnan(y)
    if not known.any():
        return Calibration()
    weights = np.ones(int(known.sum())) if weight is None else weight[known]
    prior_rows = prior_blocks * max(1.0, block_rows)
    slope, intercept = _fit_logistic(z[known, None], y[known], weights, (1.0,), prior_rows)
    return Calibration(float(np.clip(slope, MIN_SLOPE, MAX_SLOPE)), float(intercept))


def fit_blend_weights(
    logits: Floats, y: Floats, prior: Sequence[float], block_rows: float, prior_blocks: float
) -> BlendWeights:
    """Fit non-negative blend weights by penalised maximum likelihood, shrunk towards prior weights.

    Experts with a negative weight are removed, the most negative first, and get weight 0. Weights are at most
    MAX_SLOPE. If no label is known, the result is the prior weights.

    Args:
        logits: (rows, experts).
        y: (rows,) labels, NaN if unknown.
        prior: (experts,) weights to shrink towards.
        block_rows: number of neighbouring rows that count as one observation.
        prior_blocks: weight of the prior, in blocks.
    """
    known = ~np.isnan(y)
    if not known.any():
        return BlendWeights(tuple(prior))
    z = logits[known]
    y = y[known]
    weights = np.zeros(len(prior))
    active = list(range(len(prior)))
    prior_rows = prior_blocks * max(1.0, block_rows)
    while True:
        fitted = _fit_logistic(z[:, active], y, np.ones(len(y)), [prior[i] for i in active], prior_rows)
        if len(active) == 1 or (fitted[:-1] >= 0).all():
            weights[active] = np.clip(fitted[:-1], 0.0, MAX_SLOPE)
            return BlendWeights(tuple(weights.tolist()), float(fitted[-1]))
        del active[int(np.argmin(fitted[:-1]))]


def _fit_logistic(z: Floats, y: Floats, weight: Floats, prior: Sequence[float], prior_rows: float) -> Floats:
    """Return the weights and the intercept (inputs + 1,) of a penalised logistic regression, by Newton's method.

    Args:
        z: (rows, inputs).
        y: (rows,) labels.
        weight: (rows,) weight of each row.
        prior: (inputs,) weights to shrink towards; the intercept is shrunk towards 0.
        prior_rows: weight of the prior, in rows.
    """
    design = np.concatenate((z.astype(np.float64), np.ones((len(z), 1))), axis=1)
    centre = np.array([*prior, 0.0])
    # 0.25 is the curvature of the logistic loss of one row at probability 0.5
    penalty = prior_rows * 0.25 * np.eye(len(centre))

    def loss(w: Floats) -> float:
        raw = design @ w
        return float(weight @ (np.logaddexp(0, raw) - y * raw) + (w - centre) @ penalty @ (w - centre) / 2)

    w = centre.copy()
    best = loss(w)
    for _ in range(MAX_STEPS):
        p = sigmoid(design @ w)
        gradient = design.T @ (weight * (p - y)) + penalty @ (w - centre)
        curvature = (design * (weight * p * (1 - p))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature, gradient)
        # Newton steps overshoot where the loss is flat: halve the step until the loss decreases
        while (value := loss(w - step)) > best + 1e-12 and np.abs(step).max() > 1e-8:
            step = step / 2
        w = w - step
        best = min(value, best)
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(w)


def matching_intercept(z: Floats, y: Floats) -> float:
    """Return the intercept for which the mean probability equals the event rate.

    Args:
        z: (rows,) logits without intercept.
        y: (rows,) labels, NaN if unknown; both outcomes occur.
    """
    known = ~np.isnan(y)
    logits = z[known].astype(np.float64)
    rate = float(y[known].mean())
    low = -30.0
    high = 30.0
    # Bisection: the mean probability increases with the intercept
    for _ in range(60):
        middle = (low + high) / 2
        if float(sigmoid(logits + middle).mean()) < rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2
