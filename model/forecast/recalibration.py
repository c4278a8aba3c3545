"""Setting right what a model says by what followed what it said.

A calibration made at a training is of the past before it. What was said since, and has matured, tells how far off it
is today; the late outcomes count more (Platt 1999, with exponential forgetting). Load may come and go for days: of
the last of them the level alone is followed, for a day tells how often load is high, not how sure one may be of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from model.array_types import Bools, Floats
from model.features.dataset import typical_step
from model.forecast.calibration import Calibration, fit_calibration, fit_level
from model.nn.numerics import logit, sigmoid
from model.units import DAY, HOUR

RECALIBRATION_INTERVAL = 6 * HOUR
"""Seconds between two looks at the outcomes that have matured."""

HALF_LIFE = 14 * DAY
"""Seconds after which an outcome counts half."""

STORY = HOUR
"""Seconds whose outcomes tell one story, unless the horizon is longer."""

STORIES = 240.0
"""How many stories it takes to move a calibration half of the way: one bad hour must not turn it."""

LEVEL_HALF_LIFE = DAY
"""Seconds after which an outcome counts half for the level."""

LEVEL_PULL = 10.0
"""Stories that it takes to move the level half of the way where days differ by 1 (variance in log-odds)."""

FEWEST_STORIES = 2.0
"""So many it takes at least, however much days differ."""

DAYS_COMPARED = 21
"""Days of which is told how much they differ."""

MEMORY = 4 * HALF_LIFE
"""Seconds after which it counts for nothing."""


@dataclass(frozen=True)
class Recalibration:
    """One horizon's: while load is not high, and while it is.

    Whether a stretch goes on is another question than whether one begins, and a model may be right about the one and
    wrong about the other.
    """

    calm: Calibration = field(default_factory=Calibration)
    high: Calibration = field(default_factory=Calibration)

    def __call__(self, p: Floats, high: Bools) -> Floats:
        """Probabilities (rows,) set right, NaN where there is none; `high` (rows,) says whether load is high."""
        right = np.full(p.shape, np.nan)
        for rows, by in ((~high, self.calm), (high, self.high)):
            known = rows & ~np.isnan(p)
            right[known] = p[known] if by == Calibration() else sigmoid(by(logit(p[known])))
        return right


def fit_recalibrations(
    times: Floats, probabilities: Floats, labels: Floats, high: Bools, horizons: Sequence[float], now: float
) -> tuple[Recalibration, ...]:
    """One for each horizon, by the outcomes that are known at a moment.

    Args:
        times: (rows,) when each prediction was made, in seconds.
        probabilities: (rows, horizons) as the model itself said, NaN where nothing was said.
        labels: (rows, horizons) what followed, NaN unknown.
        high: (rows,) whether load was high then.
        horizons: seconds.
        now: seconds.
    """
    found = []
    apart = typical_step(times, default=1.0)
    for i, horizon in enumerate(horizons):
        p, y = probabilities[:, i], labels[:, i]
        mature, said = (times + horizon < now) & (times > now - MEMORY), ~np.isnan(p)
        calm, up = (
            calibration(
                (times[rows], p[rows], y[rows]),
                horizon,
                now,
                apart,
                restlessness(times[past], y[past], horizon, apart),
            )
            for rows, past in ((mature & said & ~high, mature & ~high), (mature & said & high, mature & high))
        )
        found.append(Recalibration(calm, up))
    return tuple(found)


def calibration(
    past: tuple[Floats, Floats, Floats], horizon: float, now: float, apart: float, restless: float
) -> Calibration:
    """What sets one horizon's probabilities right, by what followed them; the late outcomes count more.

    Args:
        past: (rows,) each: when a prediction was made (seconds), what the model itself said, what followed (NaN
            unknown).
        horizon: seconds.
        now: seconds.
        apart: seconds between two rows.
        restless: how much days differ, see `restlessness`; 0 leaves the level where it is.
    """
    times, p, y = past
    z, story, age = logit(p), max(horizon, STORY) / apart, now - times
    slow = fit_calibration(z, y, story, 0.5 ** (age / HALF_LIFE), STORIES)
    if not restless:
        return slow
    stories = max(FEWEST_STORIES, LEVEL_PULL / restless)
    return replace(
        slow, intercept=slow.intercept + fit_level(slow(z), y, story, 0.5 ** (age / LEVEL_HALF_LIFE), stories)
    )


def restlessness(times: Floats, y: Floats, horizon: float, apart: float) -> float:
    """How much the days differ in how often load was high: a variance in log-odds, less what is chance.

    By moments: the spread of the daily rates less that of a binomial of as many stories, over the squared slope of
    the logistic curve at their mean (Williams 1982). 0 where there are not five days, or they do not differ.

    Args:
        times: (rows,) seconds.
        y: (rows,) outcomes, NaN unknown.
        horizon: seconds.
        apart: seconds between two rows.
    """
    known = ~np.isnan(y)
    if not known.any():
        return 0.0
    days = (times[known] // DAY).astype(np.int64)
    days -= days.max() - DAYS_COMPARED
    late = days > 0
    rows = np.bincount(days[late], minlength=1)
    stories = rows * apart / max(horizon, STORY)
    full = stories >= FEWEST_STORIES * 2
    if full.sum() < 5:
        return 0.0
    rates = np.bincount(days[late], weights=y[known][late])[full] / rows[full]
    stories = stories[full]
    mean = stories @ rates / stories.sum()
    chance = mean * (1 - mean)
    if chance <= 0:
        return 0.0
    spread = stories @ np.square(rates - mean) / stories.sum()
    return float(max(0.0, spread - chance * (len(stories) - 1) / stories.sum()) / chance**2)


def recalibrated(probabilities: Floats, high: Bools, by: Sequence[Recalibration]) -> Floats:
    """Probabilities (rows, horizons) of a model set right; a further horizon is never below a nearer one.

    Args:
        probabilities: NaN where nothing was said.
        high: (rows,) whether load is high.
        by: for each horizon.
    """
    right = np.stack([one(probabilities[:, i], high) for i, one in enumerate(by)], axis=1)
    return np.where(np.isnan(right), np.nan, np.fmax.accumulate(right, axis=1))
