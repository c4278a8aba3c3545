"""Making probabilities mean what they say.

A network fitted until it stopped improving is surer than it should be; two numbers per horizon, fitted on data
that it did not learn from, put that right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.activations import sigmoid
from model.arrays import Floats

STEEPEST = 2.0
FLATTEST = 0.05
"""Limits of the slope: a short validation part must not turn a ranking round or make it certain."""


@dataclass(frozen=True)
class Calibration:
    """Calibrated logit = slope * z + intercept (Platt 1999)."""

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, z: Floats) -> Floats:
        """Logits to calibrated logits, any shape, float64."""
        return np.asarray(self.slope * z.astype(np.float64) + self.intercept)


def fit_calibration(
    z: Floats, y: Floats, rows_per_event: float, weight: Floats | None = None, stories: float = 4.0
) -> Calibration:
    """Maximum likelihood by Newton's method, drawn toward slope 1 and intercept 0.

    Args:
        z: (rows,) logits.
        y: (rows,) labels, NaN unknown.
        rows_per_event: how many neighbouring rows tell the same story.
        weight: (rows,) how much each row counts; None where all count the same.
        stories: how many of them the pull toward the identity is worth.
    """
    known = ~np.isnan(y)
    counts = np.ones(known.sum()) if weight is None else weight[known]
    z, y = z[known].astype(np.float64), y[known].astype(np.float64)
    if z.size == 0:
        return Calibration()
    design = np.stack([z, np.ones_like(z)], axis=1)
    start = np.array([1.0, 0.0])
    pull = stories * max(1.0, rows_per_event) * np.eye(2) * 0.25
    w = start.copy()
    for _ in range(30):
        p = sigmoid(design @ w)
        gradient = design.T @ (counts * (p - y)) + pull @ (w - start)
        curvature = (design * (counts * p * (1 - p))[:, None]).T @ design + pull
        step = np.linalg.solve(curvature, gradient)
        w -= np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    return Calibration(float(np.clip(w[0], FLATTEST, STEEPEST)), float(w[1]))


def levelled(slope: float, z: Floats, y: Floats) -> Calibration:
    """The calibration of a given slope under which as much is said as came.

    Args:
        slope: of the calibration.
        z: (rows,) logits.
        y: (rows,) labels of both classes, NaN unknown.
    """
    known = ~np.isnan(y)
    steep, wanted = slope * z[known].astype(np.float64), float(y[known].mean())
    low, high = -30.0, 30.0
    # the mean rises with the intercept: halve until nothing is left to halve
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if float(sigmoid(steep + middle).mean()) < wanted else (low, middle)
    return Calibration(slope, (low + high) / 2)
