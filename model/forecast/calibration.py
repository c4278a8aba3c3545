"""Making probabilities mean what they say.

A network fitted until it stopped improving is surer than it should be; a few numbers per horizon, fitted on data that
it did not learn from, put that right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.nn.numerics import sigmoid

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


@dataclass(frozen=True)
class BlendWeights:
    """Logit = the voices' logits, weighted, + intercept: a logistic regression on what several experts say."""

    weights: tuple[float, ...]
    intercept: float = 0.0

    def __call__(self, voices: Floats) -> Floats:
        """Logits (rows, voices) to logits (rows,)."""
        return np.asarray(voices @ np.array(self.weights) + self.intercept)


def fit_calibration(
    z: Floats, y: Floats, rows_per_event: float, weight: Floats | None = None, stories: float = 4.0
) -> Calibration:
    """Maximum likelihood, drawn toward slope 1 and intercept 0.

    Args:
        z: (rows,) logits.
        y: (rows,) labels, NaN unknown.
        rows_per_event: how many neighbouring rows tell the same story.
        weight: (rows,) how much each row counts; None where all count the same.
        stories: how many of them the pull toward the identity is worth.
    """
    known = ~np.isnan(y)
    if not known.any():
        return Calibration()
    counts = np.ones(int(known.sum())) if weight is None else weight[known]
    slope, intercept = _fitted(z[known, None], y[known], counts, (1.0,), stories * max(1.0, rows_per_event))
    return Calibration(float(np.clip(slope, FLATTEST, STEEPEST)), float(intercept))


def fit_level(z: Floats, y: Floats, rows_per_event: float, weight: Floats, stories: float) -> float:
    """What is to be added to logits: maximum likelihood, drawn toward 0; see `fit_calibration`."""
    known = ~np.isnan(y)
    if not known.any():
        return 0.0
    pull = stories * max(1.0, rows_per_event)
    none = np.zeros((int(known.sum()), 0))
    return float(_fitted(none, y[known], weight[known], (), pull, z[known])[0])


def fit_blend_weights(
    voices: Floats, y: Floats, start: Sequence[float], rows_per_event: float, stories: float
) -> BlendWeights:
    """Maximum likelihood over weights that are not negative, drawn toward some.

    A voice that would have to be believed the opposite of is left out.

    Args:
        voices: (rows, voices) logits.
        y: (rows,) labels, NaN unknown.
        start: (voices,) weights that the fit is drawn toward.
        rows_per_event: how many neighbouring rows tell the same story.
        stories: how many of them the pull is worth.
    """
    known = ~np.isnan(y)
    if not known.any():
        return BlendWeights(tuple(start))
    z, y, weights, heard = voices[known], y[known], np.zeros(len(start)), list(range(len(start)))
    while True:
        pull = stories * max(1.0, rows_per_event)
        found = _fitted(z[:, heard], y, np.ones(len(y)), [start[i] for i in heard], pull)
        if len(heard) == 1 or (found[:-1] >= 0).all():
            weights[heard] = np.clip(found[:-1], 0.0, STEEPEST)
            return BlendWeights(tuple(weights.tolist()), float(found[-1]))
        del heard[int(np.argmin(found[:-1]))]


def _fitted(
    z: Floats, y: Floats, counts: Floats, start: Sequence[float], pull_rows: float, offset: Floats | float = 0.0
) -> Floats:
    """(voices + 1,) weights and the intercept, by Newton's method; the pull is toward `start` and 0.

    `offset` (rows,) is added to what the voices say, as it is.
    """
    design = np.concatenate((z.astype(np.float64), np.ones((len(z), 1))), axis=1)
    centre = np.array([*start, 0.0])
    pull = pull_rows * 0.25 * np.eye(len(centre))

    def loss(w: Floats) -> float:
        raw = design @ w + offset
        return float(counts @ (np.logaddexp(0, raw) - y * raw) + (w - centre) @ pull @ (w - centre) / 2)

    w = centre.copy()
    best = loss(w)
    for _ in range(50):
        p = sigmoid(design @ w + offset)
        gradient = design.T @ (counts * (p - y)) + pull @ (w - centre)
        curvature = (design * (counts * p * (1 - p))[:, None]).T @ design + pull
        step = np.linalg.solve(curvature, gradient)
        # where the curve is flat the step is too long: halve it until it leads down
        while (found := loss(w - step)) > best + 1e-12 and np.abs(step).max() > 1e-8:
            step = step / 2
        w, best = w - step, min(found, best)
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(w)


def matching_intercept(steep: Floats, y: Floats) -> float:
    """The intercept under which as much is said as came.

    Args:
        steep: (rows,) logits before it.
        y: (rows,) labels of both classes, NaN unknown.
    """
    known = ~np.isnan(y)
    steep, wanted = steep[known].astype(np.float64), float(y[known].mean())
    low, high = -30.0, 30.0
    # the mean rises with the intercept: halve until nothing is left to halve
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if float(sigmoid(steep + middle).mean()) < wanted else (low, middle)
    return (low + high) / 2
