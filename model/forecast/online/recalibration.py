"""Recalibration of a serving model: Platt scaling on matured outcomes with exponential forgetting (Platt 1999).

The blend of a model was fitted on its training history. Later outcomes correct slope and intercept, with a weight
that halves every HALF_LIFE. The running level follows faster changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from model.array_types import Bools, Floats
from model.features.dataset import typical_step
from model.forecast.calibration import Calibration, fit_calibration
from model.forecast.log_odds import logit, sigmoid
from model.units import DAY, HOUR

RECALIBRATION_INTERVAL = 6 * HOUR
"""Seconds between two recalibrations."""

HALF_LIFE = 14 * DAY
"""Seconds after which the weight of an outcome is halved."""

BLOCK_SECONDS = HOUR
"""Shortest block length in seconds; a block lasts at least one horizon, and counts as one observation."""

PRIOR_BLOCKS = 240.0
"""Effective sample size, in blocks, at which outcomes and the identity have equal weight."""

MAX_AGE = 4 * HALF_LIFE
"""Age in seconds from which an outcome is no longer used."""


@dataclass(frozen=True)
class Recalibration:
    """Recalibration of one horizon, with separate calibrations for calm and high load."""

    calm: Calibration = field(default_factory=Calibration)
    high: Calibration = field(default_factory=Calibration)

    def __call__(self, p: Floats, high: Bools) -> Floats:
        """Return recalibrated probabilities (rows,), NaN where `p` is NaN.

        Args:
            p: (rows,) probabilities of the model, NaN if there is none.
            high: (rows,) True during high load.
        """
        recalibrated = np.full(p.shape, np.nan)
        for rows, calibration in ((~high, self.calm), (high, self.high)):
            known = rows & ~np.isnan(p)
            if calibration == Calibration():
                recalibrated[known] = p[known]
            else:
                recalibrated[known] = sigmoid(calibration(logit(p[known])))
        return recalibrated


def fit_recalibrations(
    times: Floats, probabilities: Floats, labels: Floats, high: Bools, horizons: Sequence[float], now: float
) -> tuple[Recalibration, ...]:
    """Fit one recalibration per horizon to the outcomes known at `now`.

    Args:
        times: (rows,) time of each prediction in seconds.
        probabilities: (rows, horizons) predictions of the model, NaN where there is none.
        labels: (rows, horizons) outcomes, NaN if unknown.
        high: (rows,) True for predictions made during high load.
        horizons: horizons of the columns, in seconds.
        now: current time in seconds.
    """
    step = typical_step(times, default=1.0)
    recalibrations = []
    for i, horizon in enumerate(horizons):
        p = probabilities[:, i]
        y = labels[:, i]
        matured = (times + horizon < now) & (times > now - MAX_AGE)
        predicted = matured & ~np.isnan(p)
        calibrations = []
        for state in (~high, high):
            rows = predicted & state
            calibrations.append(fit_recent(times[rows], p[rows], y[rows], horizon, now, step))
        recalibrations.append(Recalibration(*calibrations))
    return tuple(recalibrations)


def fit_recent(times: Floats, p: Floats, y: Floats, horizon: float, now: float, step: float) -> Calibration:
    """Fit a calibration with exponential forgetting of outcomes (half-life HALF_LIFE).

    Args:
        times: (rows,) time of each prediction in seconds.
        p: (rows,) predictions of the model.
        y: (rows,) outcomes, NaN if unknown.
        horizon: prediction horizon in seconds.
        now: current time in seconds.
        step: seconds between two rows.
    """
    block_rows = max(horizon, BLOCK_SECONDS) / step
    return fit_calibration(logit(p), y, block_rows, 0.5 ** ((now - times) / HALF_LIFE), PRIOR_BLOCKS)
