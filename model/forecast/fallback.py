"""Where a serving model stands beside the baselines, by what has come since.

A model that was better at its training may fall behind: load changes, and it does not know it. Every six hours the
last week is gone through as it was lived: each evening model and baselines are set right by what is known by then,
and the day after marks them. Where a baseline was better by more than chance it serves instead, until the model has
caught up or another one has passed; calm and high moments by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from model.array_types import Bools, Floats
from model.features.dataset import typical_step
from model.forecast.baselines import CURRENT_VALUE, HOLT_WINTERS, Smoothing, best_smoothing
from model.forecast.blend import LoadTable, fit_load_table
from model.forecast.metrics import threshold_for
from model.forecast.recalibration import (
    STORY,
    Recalibration,
    calibration,
    fit_recalibrations,
    recalibrated,
    restlessness,
)
from model.nn.numerics import logit, sigmoid
from model.units import DAY, HOUR

BASELINES = (CURRENT_VALUE, HOLT_WINTERS)
"""What may serve instead of a model."""

APART = 300.0
"""Seconds between two moments that are looked at: neighbours tell the same story."""

LOOKED_BACK = 7
"""Days over which model and baselines are compared."""

LEARNED_FROM = 14 * DAY
"""Seconds of outcomes that a baseline is made from."""

MARGIN = 2.0
"""Standard errors of the difference in Brier score by which a baseline must be better."""

WARNED = 5.0
"""Stories that must have been warned of before the threshold follows them."""

FARTHEST = 1.0
"""How far, in log-odds, a threshold follows what came."""

RELEASED = 0.5
"""How far, in log-odds, a probability must fall below the threshold before a warning ends: it must not flap."""

FEWEST_BLOCKS = 12
"""Blocks of a few hours that must have been seen before anything is said of chance."""


@dataclass(frozen=True)
class MaturedPredictions:
    """What was said and what came, row by row.

    `times` (rows,) in seconds; `said` (rows, horizons) by the model alone, NaN before it served; `labels` likewise,
    NaN unknown; `high` (rows,) whether load was high; `index` (rows,) the load index; `forecasts` by smoothing the
    Holt-Winters forecasts of it, (rows, horizons).
    """

    times: Floats
    said: Floats
    labels: Floats
    high: Bools
    index: Floats
    forecasts: Mapping[Smoothing, Floats]


@dataclass(frozen=True)
class FallbackBaseline:
    """A baseline: what its score is worth, and the smoothing of its forecasts (None: the present load index)."""

    name: str
    load_table: LoadTable
    smoothing: Smoothing | None = None


@dataclass(frozen=True)
class FallbackDecision:
    """One horizon's: what sets the model right, and what serves instead of it while load is calm or high.

    `threshold` is the probability that a warning needs, as what came would have it; None where too little came.
    """

    right: Recalibration = field(default_factory=Recalibration)
    calm: FallbackBaseline | None = None
    high: FallbackBaseline | None = None
    threshold: float | None = None

    def slope(self, *, high: bool) -> float:
        """What the model's log-odds are multiplied by: 0 where something else serves."""
        right, instead = (self.right.high, self.high) if high else (self.right.calm, self.calm)
        return right.slope if instead is None else 0.0

    def serving(self, *, high: bool) -> str:
        """The name of what serves."""
        instead = self.high if high else self.calm
        return "model" if instead is None else instead.name


def fallback_active(decide_fallbacks: Sequence[FallbackDecision]) -> bool:
    """Whether a baseline serves anywhere."""
    return any(standing.calm or standing.high for standing in decide_fallbacks)


def decide_fallbacks(
    past: MaturedPredictions,
    horizons: Sequence[float],
    now: float,
    thresholds: Sequence[float] | Floats,
    precision: float,
) -> tuple[FallbackDecision, ...]:
    """One for each horizon, by what is known at a moment.

    Args:
        past: up to that moment, as far as it is known.
        horizons: seconds.
        now: seconds.
        thresholds: of the model for each horizon, as it says it itself; 1 never warns.
        precision: that is wanted of warnings.
    """
    right = fit_recalibrations(past.times, past.said, past.labels, past.high, horizons, now)
    found = []
    for i, (horizon, one) in enumerate(zip(horizons, right, strict=True)):
        calm, high = (_instead(_of(past, i, rows), horizon, now) for rows in (~past.high, past.high))
        found.append(
            FallbackDecision(one, calm, high, _threshold(past, i, one, horizon, now, thresholds[i], precision))
        )
    return tuple(found)


def warning_thresholds(by: Sequence[FallbackDecision], thresholds: Sequence[float] | Floats, high: Bools) -> Floats:
    """The probability that a warning needs, (rows, horizons); where a threshold is 1, nothing reaches it.

    What came decides where enough did; else the same moments are warned of as before, said in other numbers.

    Args:
        by: for each horizon.
        thresholds: of the model, as it says it itself.
        high: (rows,) whether load is high.
    """
    found = np.empty((len(high), len(by)))
    for i, standing in enumerate(by):
        if thresholds[i] >= 1:
            found[:, i] = 1.0
        elif standing.threshold is None:
            found[:, i] = standing.right(np.full(len(high), thresholds[i]), high)
        else:
            found[:, i] = standing.threshold
    return np.where(found >= 1, np.inf, found)


def apply_decisions(
    by: Sequence[FallbackDecision],
    probabilities: Floats,
    high: Bools,
    index: Floats,
    forecasts: Callable[[Smoothing], Floats],
) -> Floats:
    """What is said in the end, (rows, horizons); a further horizon is never below a nearer one.

    Args:
        by: for each horizon.
        probabilities: (rows, horizons) of the model, NaN where it says nothing.
        high: (rows,) whether load is high.
        index: (rows,) load index.
        forecasts: gives the Holt-Winters forecasts (rows, horizons) of a smoothing.
    """
    said = recalibrated(probabilities, high, [standing.right for standing in by])
    for i, standing in enumerate(by):
        for rows, instead in ((~high, standing.calm), (high, standing.high)):
            if instead is not None and rows.any():
                score = index if instead.smoothing is None else forecasts(instead.smoothing)[:, i]
                p = sigmoid(instead.load_table(score[rows]))
                said[rows, i] = np.where(np.isnan(said[rows, i]), np.nan, p)
    return np.where(np.isnan(said), np.nan, np.fmax.accumulate(said, axis=1))


def release_threshold(threshold: float) -> float:
    """The probability that a warning needs to go on; one that never warns never does."""
    return threshold if threshold >= 1 else float(sigmoid(logit(np.array(threshold)) - RELEASED))


def warning_states(probabilities: Floats, thresholds: Floats, standing: Bools) -> Bools:
    """Whether a warning stands at each moment, (rows, horizons).

    Args:
        probabilities: (rows, horizons), NaN where nothing is said, which ends a warning.
        thresholds: likewise, the probability that begins one.
        standing: (horizons,) whether one stood before.
    """
    lower = sigmoid(logit(thresholds) - RELEASED)
    lower[thresholds >= 1] = np.inf
    found, stands = np.empty(probabilities.shape, bool), standing
    for row, (p, begins, goes_on) in enumerate(zip(probabilities, thresholds, lower, strict=True)):
        stands = p >= np.where(stands, goes_on, begins)
        found[row] = stands
    return found


def _threshold(
    past: MaturedPredictions,
    i: int,
    right: Recalibration,
    horizon: float,
    now: float,
    before: float,
    precision: float,
) -> float | None:
    """The lowest probability that was right often enough, if enough was warned of and not far from where it was.

    Where it was is the model's own threshold, set right as while load is calm; what comes of it holds while load is
    high too.
    """
    y = past.labels[:, i]
    rows = (past.times + horizon < now) & ~np.isnan(y) & ~np.isnan(past.said[:, i])
    if before >= 1 or not rows.any():
        return None
    p, y = right(past.said[rows, i], past.high[rows]), y[rows]
    start = float(right(np.array([before]), np.zeros(1, bool))[0])
    apart = typical_step(past.times, default=1.0)
    if np.sum(p >= start) * apart < WARNED * max(horizon, STORY):
        return None
    wanted = float(logit(np.array(threshold_for(y, p, precision))))
    centre = float(logit(np.array(start)))
    return float(sigmoid(np.array(np.clip(wanted, centre - FARTHEST, centre + FARTHEST))))


@dataclass(frozen=True)
class _One:
    """The past of one horizon in one state; each (rows,), outcomes known."""

    times: Floats
    said: Floats
    y: Floats
    index: Floats
    forecasts: dict[Smoothing, Floats]

    def take(self, rows: Bools) -> _One:
        forecasts = {smoothing: values[rows] for smoothing, values in self.forecasts.items()}
        return _One(self.times[rows], self.said[rows], self.y[rows], self.index[rows], forecasts)


def _of(past: MaturedPredictions, i: int, rows: Bools) -> _One:
    rows = rows & ~np.isnan(past.labels[:, i])
    forecasts = {smoothing: values[rows, i] for smoothing, values in past.forecasts.items()}
    return _One(past.times[rows], past.said[rows, i], past.labels[rows, i], past.index[rows], forecasts)


def _instead(past: _One, horizon: float, now: float) -> FallbackBaseline | None:
    """The baseline that was better than the model, if one was."""
    errors: dict[str, list[Floats]] = {}
    times, first = [], now - LOOKED_BACK * DAY
    apart = typical_step(past.times, default=1.0)
    for day in range(LOOKED_BACK):
        start = first + day * DAY
        there = (past.times >= start) & (past.times < start + DAY) & (past.times + horizon < now)
        asked = past.take(there & ~np.isnan(past.said))
        known = past.take((past.times + horizon < start) & (past.times > start - LEARNED_FROM))
        if not len(asked.times) or not known.y.any() or known.y.all():
            continue
        times.append(asked.times)
        errors.setdefault("model", []).append(np.square(_set_right(known, asked, horizon, start, apart) - asked.y))
        for baseline in _baselines(known):
            p = sigmoid(baseline.load_table(_score(baseline, asked)))
            errors.setdefault(baseline.name, []).append(np.square(p - asked.y))
    if not times:
        return None
    at, own = np.concatenate(times), np.concatenate(errors.pop("model"))
    excess = {name: own - np.concatenate(found) for name, found in errors.items()}
    better = {name: e.mean() for name, e in excess.items() if _beyond_chance(e, at, max(4 * HOUR, 2 * horizon))}
    if not better:
        return None
    latest = past.take((past.times + horizon < now) & (past.times > now - LEARNED_FROM))
    best = max(better, key=lambda name: better[name])
    return next(baseline for baseline in _baselines(latest) if baseline.name == best)


def _set_right(known: _One, asked: _One, horizon: float, now: float, apart: float) -> Floats:
    """What the model would have said, set right by what was known."""
    ours = known.take(~np.isnan(known.said))
    restless = restlessness(known.times, known.y, horizon, apart)
    right = calibration((ours.times, ours.said, ours.y), horizon, now, apart, restless)
    return sigmoid(right(logit(asked.said)))


def _baselines(known: _One) -> list[FallbackBaseline]:
    """Made of what was known."""
    found = [FallbackBaseline(CURRENT_VALUE, fit_load_table(known.index, known.y))]
    if known.forecasts:
        best = best_smoothing(known.forecasts, known.y)
        found.append(FallbackBaseline(HOLT_WINTERS, fit_load_table(known.forecasts[best], known.y), best))
    return found


def _score(baseline: FallbackBaseline, of: _One) -> Floats:
    return of.index if baseline.smoothing is None else of.forecasts[baseline.smoothing]


def _beyond_chance(excess: Floats, times: Floats, block: float) -> bool:
    """Whether a mean is above 0 by more than the margin; neighbours tell the same story."""
    _, which = np.unique(times // block, return_inverse=True)
    sizes = np.bincount(which)
    if len(sizes) < FEWEST_BLOCKS:
        return False
    totals = np.bincount(which, weights=excess)
    mean = totals.sum() / sizes.sum()
    # of a ratio of sums: blocks are of unequal size where load is high now and then
    error = np.sqrt(np.sum(np.square(totals - mean * sizes))) / sizes.sum()
    return bool(mean > MARGIN * error)
