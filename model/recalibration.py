"""Setting right what a model says by what followed what it said.

A calibration made at a training is of the past before it. What was said since, and has matured, tells how far off it
is today; the late outcomes count more (Platt 1999, with exponential forgetting).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.activations import sigmoid
from model.arrays import Floats
from model.calibration import Calibration, fit_calibration
from model.losses import logit

HALF_LIFE = 14 * 86400.0
"""Seconds after which an outcome counts half."""

MEMORY = 4 * HALF_LIFE
"""Seconds after which it counts for nothing."""


def recalibrations(
    times: Floats, probabilities: Floats, labels: Floats, horizons: Sequence[float], now: float
) -> tuple[Calibration, ...]:
    """One for each horizon, by the outcomes that are known at a moment.

    Args:
        times: (rows,) when each prediction was made, in seconds.
        probabilities: (rows, horizons) as the models themselves said, NaN where nothing was said.
        labels: (rows, horizons) what followed, NaN unknown.
        horizons: seconds.
        now: seconds.
    """
    found = []
    for i, horizon in enumerate(horizons):
        rows = (times + horizon < now) & (times > now - MEMORY) & ~np.isnan(probabilities[:, i])
        at = times[rows]
        weight = 0.5 ** ((now - at) / HALF_LIFE)
        apart = float(np.median(np.diff(at))) if len(at) > 2 else 1.0
        found.append(fit_calibration(logit(probabilities[rows, i]), labels[rows, i], horizon / apart, weight))
    return tuple(found)


def recalibrated(probabilities: Floats, by: Sequence[Calibration]) -> Floats:
    """Probabilities (rows, horizons) of a model set right; a further horizon is never below a nearer one."""
    right = np.full(probabilities.shape, np.nan)
    for i, calibration in enumerate(by):
        known = ~np.isnan(probabilities[:, i])
        p = probabilities[known, i]
        right[known, i] = p if calibration == Calibration() else sigmoid(calibration(logit(p)))
    return np.where(np.isnan(right), np.nan, np.fmax.accumulate(right, axis=1))
