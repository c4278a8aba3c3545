"""What the tools of today would have said, on the same scale as the network.

Each baseline gives a score of every moment, the higher the likelier; what a score is worth in probability is read off
the past, where its outcome is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np

from model.array_types import Floats, Integers
from model.features.dataset import typical_step
from model.forecast.blend import LoadTable, fit_load_table, followed
from model.nn.numerics import sigmoid
from model.units import DAY

CLIMATOLOGY, PERSISTENCE = "climatology", "persistence"
CURRENT_VALUE, HOLT_WINTERS = "current value", "Holt-Winters"
"""What baselines are called in reports and in metrics."""

Smoothing = tuple[float, float]
"""Weights of the newest value in level and season."""

LINE = 1800.0
"""Seconds of the past through which `predict_linear` lays its line."""

LOOKS = 12
"""Moments within a horizon at which a forecast is looked at, at most."""

SMOOTHING: tuple[Smoothing, ...] = tuple(product((0.9, 0.5, 0.2), (0.1, 0.3)))
"""Of these the best on the past is taken."""


def baseline_scores(
    times: Floats, load_index: Floats, state: Floats, labels: Floats, horizons: Sequence[float], past: int
) -> dict[str, Floats]:
    """The probability that each baseline gives at every moment after the past.

    Args:
        times: (rows,) seconds, increasing.
        load_index: (rows,) how near the rules are to holding, NaN where unknown.
        state: (rows,) 1 where load is high now, NaN where unknown.
        labels: (rows, horizons), NaN where unknown.
        horizons: seconds.
        past: rows of which the outcomes are known.

    Returns:
        (rows - past, horizons) by name: "climatology", "threshold now", "current value", "predict_linear",
        "Holt-Winters" (with a daily season).
    """
    named: dict[str, list[Floats]] = {
        "threshold now": [state] * len(horizons),
        CURRENT_VALUE: [load_index] * len(horizons),
        "predict_linear": [linear_forecast(times, load_index, h) for h in horizons],
    }
    found = {
        name: np.stack([_probability(s, labels[:, i], past) for i, s in enumerate(scores)], axis=1)
        for name, scores in named.items()
    }
    base = np.array([_mean(labels[:past, i]) for i in range(len(horizons))])
    seasonal = _best_holt_winters(times, load_index, labels, horizons, past)
    return {CLIMATOLOGY: np.tile(base, (len(times) - past, 1)), **found, HOLT_WINTERS: seasonal}


def linear_forecast(times: Floats, values: Floats, ahead: float) -> Floats:
    """(rows,) the value `ahead` seconds from now on the least-squares line through the last half hour.

    As Prometheus' `predict_linear(x[30m], ahead)`; NaN with fewer than two known values.
    """
    known = ~np.isnan(values)
    t, x = (times - times[0]) * known, np.where(known, values, 0)
    sums = np.cumsum(np.stack([known, t, x, t * t, t * x], axis=1).astype(np.float64), axis=0)
    before = np.searchsorted(times, times - LINE) - 1
    window = sums - np.where((before >= 0)[:, None], sums[np.maximum(before, 0)], 0)
    n, st, sx, stt, stx = window.T
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = stt - st * st / n
        slope = np.where(spread > 1e-6 * n, (stx - st * sx / n) / spread, np.nan)
        return np.asarray(sx / n + slope * (times - times[0] + ahead - st / n))


def holt_winters(
    times: Floats, values: Floats, horizons: Sequence[float], level_weight: float, season_weight: float
) -> Floats:
    """(rows, horizons) the highest forecast within each horizon: a level and an additive season of a day.

    level = w x' + (1 - w) level with x' the value less its season; season = v (x - level) + (1 - v) season (Winters
    1960). A missing value changes neither, and has no forecast.
    """
    step = typical_step(times, default=1.0)
    slots = np.round((times - times[0]) / step).astype(int)
    grid = np.full(slots[-1] + 1, np.nan)
    grid[slots] = values
    period = max(1, round(DAY / step))
    levels, seasons = _smoothed(grid, period, level_weight, season_weight)
    forecasts = levels[slots][:, None] + _usual_ahead(seasons, slots, period, horizons, step)
    return np.where(np.isnan(values)[:, None], np.nan, forecasts)


def binned(times: Floats, values: Floats, width: float) -> tuple[Floats, Integers]:
    """Means (bins,) over each `width` seconds without holes, NaN where nothing is known; and the bin of each row."""
    bins = np.floor_divide(times, width).astype(np.int64)
    bins -= bins[0]
    known = ~np.isnan(values)
    count = np.bincount(bins, weights=known)
    total = np.bincount(bins, weights=np.where(known, values, 0))
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0), bins


def seasonal_forecasts(
    means: Floats,
    bins: Integers,
    now: Floats,
    width: float,
    horizons: Sequence[float],
    smoothing: Smoothing,
) -> Floats:
    """(rows, horizons) `holt_winters` over bins, for the live road: the level is taken on to the present value.

    Args:
        means: (bins,) of the past, NaN where nothing is known.
        bins: (rows,) the bin of each moment, of which it knows its own value alone.
        now: (rows,) the value at each moment.
        width: seconds of a bin.
        horizons: seconds.
        smoothing: weights of the newest value in level and season.
    """
    period = max(1, round(DAY / width))
    levels, seasons = _smoothed(means, period, *smoothing)
    seasons = np.concatenate((seasons, np.zeros(period)))
    before = np.where(bins > 0, levels[np.maximum(bins - 1, 0)], now)
    level = before + smoothing[0] * (now - seasons[bins] - before)
    return np.asarray(level[:, None] + _usual_ahead(seasons, bins, period, horizons, width))


def forecasts_by_smoothing(
    means: Floats, bins: Integers, now: Floats, width: float, horizons: Sequence[float]
) -> dict[Smoothing, Floats]:
    """`seasonal_forecasts` of each SMOOTHING."""
    return {smoothing: seasonal_forecasts(means, bins, now, width, horizons, smoothing) for smoothing in SMOOTHING}


def _by_worth(score: Floats, y: Floats) -> Floats:
    return sigmoid(fit_load_table(score, y)(score))


def best_smoothing(
    forecasts: Mapping[Smoothing, Floats], y: Floats, told: Callable[[Floats, Floats], Floats] = _by_worth
) -> Smoothing:
    """The smoothing whose forecasts told best what followed.

    Args:
        forecasts: (rows,) by smoothing.
        y: (rows,) labels, NaN unknown.
        told: makes probabilities (rows,) of forecasts, by what followed them.
    """

    def error(smoothing: Smoothing) -> float:
        return float(np.nansum(np.square(told(forecasts[smoothing], y) - y)))

    return min(forecasts, key=error)


def _usual_ahead(seasons: Floats, slots: Integers, period: int, horizons: Sequence[float], step: float) -> Floats:
    """(rows, horizons) the highest season within each horizon after some slots of `step` seconds."""
    found = []
    for horizon in horizons:
        offsets = np.unique(np.linspace(1, max(1, round(horizon / step)), LOOKS).astype(int))
        # beyond a day ahead no more is known of the season than its last day
        found.append(np.max([seasons[slots + min(int(k), period)] for k in offsets], axis=0))
    return np.stack(found, axis=1)


def _smoothed(grid: Floats, period: int, level_weight: float, season_weight: float) -> tuple[Floats, Floats]:
    """The level after each value, and the season of each slot as it was known a period before."""
    known = grid[~np.isnan(grid)]
    level = float(known[0]) if len(known) else 0.0
    levels, season = [], [0.0] * (len(grid) + period)
    for i, x in enumerate(grid.tolist()):
        usual = season[i]
        if x == x:  # noqa: PLR0124  a number: math.isnan costs a call for each of a million
            level += level_weight * (x - usual - level)
            usual += season_weight * (x - level - usual)
        season[i + period] = usual
        levels.append(level)
    return np.array(levels), np.array(season)


def _best_holt_winters(times: Floats, values: Floats, labels: Floats, horizons: Sequence[float], past: int) -> Floats:
    """The probabilities by those weights whose probabilities of the past were the best, each horizon by itself."""
    forecasts = {smoothing: holt_winters(times, values, horizons, *smoothing) for smoothing in SMOOTHING}
    found = []
    for i in range(len(horizons)):
        of_past = {smoothing: ahead[:past, i] for smoothing, ahead in forecasts.items()}
        best = best_smoothing(of_past, labels[:past, i], lambda score, y: _shares(score, y)(score))
        found.append(_probability(forecasts[best][:, i], labels[:, i], past))
    return np.stack(found, axis=1)


def _probability(score: Floats, y: Floats, past: int) -> Floats:
    """Scores of the rows after the past to probabilities."""
    return _shares(score[:past], y[:past])(score[past:])


def _shares(score: Floats, y: Floats) -> LoadTable:
    """How often the event followed a score, in probability; the base rate where there is no score."""
    both = ~np.isnan(y) & ~np.isnan(score)
    return LoadTable(*followed(score[both].astype(np.float64), y[both]), _mean(y))


def _mean(y: Floats) -> float:
    return float(np.nanmean(y)) if not np.isnan(y).all() else float("nan")
