"""Thresholds of equal cost: as many false warnings as a model."""

from __future__ import annotations

import numpy as np

from model.array_types import Floats


def equal_cost_threshold(at: Floats, scores: Floats, outcomes: Floats, horizon: float, allowed: int) -> float:
    """Return the lowest threshold at which warnings have at most `allowed` false warnings.

    A warning is active where the score reaches the threshold. False warnings are counted as by `false_warnings`. The
    number first rises and then falls as the threshold is lowered, because low thresholds merge the warnings into a
    permanent one. Only thresholds down to the first maximum of the number are considered.

    Args:
        at: (rows,) seconds, increasing.
        scores: (rows,) larger for likelier high load; -inf where no warning may be active.
        outcomes: (rows,) 1 if high load occurs within the horizon, 0 if not, NaN if unknown.
        horizon: seconds.
        allowed: largest number of false warnings.

    Returns:
        Threshold; inf if no score is finite.
    """
    later = following_maximum(at, scores, horizon)
    # A row ends a false warning at the thresholds in (later, score].
    ends = (outcomes == 0) & (scores > later)
    upper = np.sort(scores[ends])
    lower = np.sort(later[ends])
    thresholds = np.unique(scores[np.isfinite(scores)])[::-1]
    if not len(thresholds):
        return float("inf")
    counts = np.searchsorted(lower, thresholds) - np.searchsorted(upper, thresholds)
    excess = np.flatnonzero(counts > allowed)
    if len(excess):
        return float(np.nextafter(thresholds[excess[0]], np.inf))
    return float(thresholds[np.argmax(counts)])


def following_maximum(at: Floats, values: Floats, horizon: float) -> Floats:
    """Return the largest value (rows,) in (t, t + horizon] for each time t; -inf if there is none.

    The maxima over 1, 2, 4, ... rows are computed in turn; two of them cover a window.

    Args:
        at: (rows,) seconds, increasing.
        values: (rows,) numbers.
        horizon: seconds.
    """
    end = np.searchsorted(at, at + horizon, side="right")
    count = end - np.arange(len(at)) - 1
    result = np.full(len(at), -np.inf)
    maxima = values.astype(np.float64)
    width = 1
    while width <= count.max(initial=0):
        rows = np.flatnonzero((count >= width) & (count < 2 * width))
        result[rows] = np.maximum(maxima[rows + 1], maxima[end[rows] - width])
        maxima[:-width] = np.maximum(maxima[:-width], maxima[width:])
        width *= 2
    return result
