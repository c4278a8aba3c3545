"""Recalibration of a serving model: Platt scaling on matured outcomes with exponential forgetting (Platt 1999).

The blend of a model was fitted on its training history. Later outcomes correct slope and intercept, with a weight
that halves every HALF_LIFE. The outcomes of the last days then correct the intercept only, because they determine
the event rate but not the slope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from model.array_types import Bools, Floats
from model.features.dataset import typical_step
from model.forecast.calibration import Calibration, fit_calibration, fit_intercept
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

INTERCEPT_HALF_LIFE = DAY
"""Seconds after which the weight of an outcome is halved for the intercept."""

INTERCEPT_PRIOR_BLOCKS = 10.0
"""Effective sample size, in blocks, at which recent outcomes and the uncorrected intercept have equal weight.

The value applies to an `extra_variance` of 1. For another variance, it is divided by the variance.
"""

MIN_BLOCKS = 2.0
"""Smallest weight of the intercept's prior, in blocks; `extra_variance` ignores days with less than twice this."""

COMPARED_DAYS = 21
"""Number of days over which `extra_variance` is estimated."""

MIN_COMPARED_DAYS = 5
"""Smallest number of days with enough outcomes for `extra_variance`."""

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
            variance = extra_variance(times[matured & state], y[matured & state], horizon, step)
            calibrations.append(fit_recent(times[rows], p[rows], y[rows], horizon, now, step, variance))
        recalibrations.append(Recalibration(*calibrations))
    return tuple(recalibrations)


def fit_recent(
    times: Floats, p: Floats, y: Floats, horizon: float, now: float, step: float, variance: float
) -> Calibration:
    """Fit a calibration with exponential forgetting of outcomes (half-life HALF_LIFE).

    A second fit with the half-life INTERCEPT_HALF_LIFE then corrects the intercept. The correction is shrunk less if
    the event rate varies more between days.

    Args:
        times: (rows,) time of each prediction in seconds.
        p: (rows,) predictions of the model.
        y: (rows,) outcomes, NaN if unknown.
        horizon: prediction horizon in seconds.
        now: current time in seconds.
        step: seconds between two rows.
        variance: variance of the daily event rates from `extra_variance`; 0 to omit the second fit.
    """
    z = logit(p)
    block_rows = max(horizon, BLOCK_SECONDS) / step
    age = now - times
    slow = fit_calibration(z, y, block_rows, 0.5 ** (age / HALF_LIFE), PRIOR_BLOCKS)
    if not variance:
        return slow
    prior_blocks = max(MIN_BLOCKS, INTERCEPT_PRIOR_BLOCKS / variance)
    correction = fit_intercept(slow(z), y, block_rows, 0.5 ** (age / INTERCEPT_HALF_LIFE), prior_blocks)
    return replace(slow, intercept=slow.intercept + correction)


def extra_variance(times: Floats, y: Floats, horizon: float, step: float) -> float:
    """Estimate the variance of the daily event rates beyond chance, in log-odds (Williams 1982).

    The method of moments is applied to the last COMPARED_DAYS days. The variance of a binomial distribution with one
    trial per block is subtracted from the variance of the daily rates. The difference is divided by the squared slope
    of the logistic function at the mean rate.

    Args:
        times: (rows,) seconds.
        y: (rows,) outcomes, NaN if unknown.
        horizon: seconds.
        step: seconds between two rows.

    Returns:
        The variance; 0 if fewer than MIN_COMPARED_DAYS days have enough outcomes, if all outcomes are equal, or if
        the days differ by no more than chance.
    """
    known = ~np.isnan(y)
    if not known.any():
        return 0.0
    days = (times[known] // DAY).astype(np.int64)
    days -= days.max() - COMPARED_DAYS
    recent = days > 0
    rows = np.bincount(days[recent], minlength=1)
    blocks = rows * step / max(horizon, BLOCK_SECONDS)
    full = blocks >= MIN_BLOCKS * 2
    if full.sum() < MIN_COMPARED_DAYS:
        return 0.0
    rates = np.bincount(days[recent], weights=y[known][recent])[full] / rows[full]
    blocks = blocks[full]
    mean = blocks @ rates / blocks.sum()
    binomial = mean * (1 - mean)
    if binomial <= 0:
        return 0.0
    spread = blocks @ np.square(rates - mean) / blocks.sum()
    excess = spread - binomial * (len(blocks) - 1) / blocks.sum()
    return float(max(0.0, excess) / binomial**2)
