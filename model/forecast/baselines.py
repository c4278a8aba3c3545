"""Baselines: predictions of conventional methods as probabilities, for comparison with a model.

Climatology and persistence are event rates of past samples. Each other baseline computes a score for a sample; a
higher score means likelier high load. A table of past event rates maps scores to probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.array_types import Floats, Integers
from model.features.dataset import typical_step
from model.forecast.blend import LoadTable, binned_event_rates
from model.forecast.smoothing import SMOOTHINGS, best_smoothing, horizon_offsets
from model.units import DAY

CLIMATOLOGY, PERSISTENCE = "climatology", "persistence"
CURRENT_VALUE, HOLT_WINTERS = "current value", "Holt-Winters"
"""Names of baselines in reports and metrics."""

MIN_SLOT = 1.0
"""Shortest time slot of `holt_winters` in seconds."""

LINE_SECONDS = 1800.0
"""Window of `linear_forecast` in seconds."""


def baseline_probabilities(
    times: Floats, load_index: Floats, state: Floats, labels: Floats, horizons: Sequence[float], past: int
) -> dict[str, Floats]:
    """Return the probabilities of each baseline for all samples after the first `past` samples.

    Args:
        times: (rows,) seconds, increasing.
        load_index: (rows,) NaN if unknown.
        state: (rows,) 1 during high load, 0 otherwise, NaN if unknown.
        labels: (rows, horizons), NaN if unknown.
        horizons: seconds.
        past: number of leading rows; the baselines are fitted to the outcomes of these rows.

    Returns:
        (rows - past, horizons) for each name: "climatology" (base rate), "threshold now" (load state),
        "current value" (load index), "predict_linear" (`linear_forecast`) and "Holt-Winters" (`holt_winters`).
    """
    scores: dict[str, list[Floats]] = {
        "threshold now": [state] * len(horizons),
        CURRENT_VALUE: [load_index] * len(horizons),
        "predict_linear": [linear_forecast(times, load_index, horizon) for horizon in horizons],
    }
    probabilities = {
        name: np.stack([_probabilities(s, labels[:, i], past) for i, s in enumerate(columns)], axis=1)
        for name, columns in scores.items()
    }
    base_rates = np.array([_base_rate(labels[:past, i]) for i in range(len(horizons))])
    seasonal = _best_holt_winters(times, load_index, labels, horizons, past)
    return {CLIMATOLOGY: np.tile(base_rates, (len(times) - past, 1)), **probabilities, HOLT_WINTERS: seasonal}


def linear_forecast(times: Floats, values: Floats, ahead: float) -> Floats:
    """Extrapolate the least-squares line through the last half hour, like PromQL `predict_linear(x[30m], ahead)`.

    Args:
        times: (rows,) seconds, increasing.
        values: (rows,) NaN if unknown.
        ahead: seconds to extrapolate.

    Returns:
        (rows,) NaN if the window has fewer than two known values.
    """
    known = ~np.isnan(values)
    # Times are relative to the last gap longer than a window: small squares keep the differences of sums accurate.
    after_gap = np.diff(times, prepend=-np.inf) > LINE_SECONDS
    since_gap = times - np.maximum.accumulate(np.where(after_gap, times, -np.inf))
    t = since_gap * known
    x = np.where(known, values, 0)
    sums = np.cumsum(np.stack([known, t, x, t * t, t * x], axis=1).astype(np.float64), axis=0)
    before = np.searchsorted(times, times - LINE_SECONDS) - 1
    window = sums - np.where((before >= 0)[:, None], sums[np.maximum(before, 0)], 0)
    n, st, sx, stt, stx = window.T
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = stt - st * st / n
        slope = np.where(spread > 1e-6 * n, (stx - st * sx / n) / spread, np.nan)
        return np.asarray(sx / n + slope * (since_gap + ahead - st / n))


def holt_winters(
    times: Floats, values: Floats, horizons: Sequence[float], level_weight: float, season_weight: float
) -> Floats:
    """Return the highest Holt-Winters forecast within each horizon, with a daily season (Winters 1960).

    A value x updates level = w (x - season) + (1 - w) level, then season = v (x - level) + (1 - v) season. A missing
    value updates neither level nor season, and has no forecast.

    Args:
        times: (rows,) seconds, increasing.
        values: (rows,) NaN if unknown.
        horizons: seconds.
        level_weight: smoothing weight w of the level.
        season_weight: smoothing weight v of the seasonal component.

    Returns:
        (rows, horizons), NaN where the value is missing.
    """
    step = max(typical_step(times, default=1.0), MIN_SLOT)
    period = max(1, round(DAY / step))
    slots = _slots(times, step, period)
    grid = np.full(slots[-1] + 1, np.nan)
    grid[slots] = values
    levels, seasons = _smooth(grid, period, level_weight, season_weight)
    ahead = []
    for horizon in horizons:
        offsets = horizon_offsets(horizon, step, period)
        ahead.append(np.max([seasons[slots + int(offset)] for offset in offsets], axis=0))
    forecasts = levels[slots][:, None] + np.stack(ahead, axis=1)
    return np.where(np.isnan(values)[:, None], np.nan, forecasts)


def _slots(times: Floats, step: float, period: int) -> Integers:
    """Return the slot number (rows,) of each sample; a slot lasts `step` seconds, a season `period` slots.

    Gaps are shortened by whole seasons, because empty slots change nothing. This limits the number of slots after a
    clock step of years.
    """
    distances = np.diff(np.round((times - times[0]) / step), prepend=0.0)
    shortened = np.where(distances > period, (distances - 1) % period + 1, distances)
    return np.asarray(np.cumsum(shortened), dtype=np.int64)


def _smooth(grid: Floats, period: int, level_weight: float, season_weight: float) -> tuple[Floats, Floats]:
    """Return the Holt-Winters levels and seasonal components of consecutive slots.

    Args:
        grid: (n,) value of each slot, NaN if unknown.
        period: slots per season.
        level_weight: smoothing weight of the level.
        season_weight: smoothing weight of the seasonal component.

    Returns:
        (n,) level after each slot, and (n + period,) seasonal component of each slot, as estimated one period before
        the slot; 0 in the first period.
    """
    known = grid[~np.isnan(grid)]
    level = float(known[0]) if len(known) else 0.0
    levels = []
    seasons = [0.0] * (len(grid) + period)
    for i, x in enumerate(grid.tolist()):
        usual = seasons[i]
        if x == x:  # noqa: PLR0124  False for NaN only; math.isnan costs a call for each of a million values
            level += level_weight * (x - usual - level)
            usual += season_weight * (x - level - usual)
        seasons[i + period] = usual
        levels.append(level)
    return np.array(levels), np.array(seasons)


def _best_holt_winters(times: Floats, values: Floats, labels: Floats, horizons: Sequence[float], past: int) -> Floats:
    """Return the Holt-Winters probabilities (rows - past, horizons), with the best smoothing for each horizon.

    The smoothing and the table of event rates are fitted to the first `past` rows.
    """
    forecasts = np.stack([holt_winters(times, values, horizons, *smoothing) for smoothing in SMOOTHINGS])
    columns = []
    for i in range(len(horizons)):
        best = best_smoothing(forecasts[:, :past, i], labels[:past, i], lambda score, y: _rate_table(score, y)(score))
        columns.append(_probabilities(forecasts[best, :, i], labels[:, i], past))
    return np.stack(columns, axis=1)


def _probabilities(score: Floats, y: Floats, past: int) -> Floats:
    """Map scores (rows,) to probabilities (rows - past,), by a table of event rates in the first `past` rows."""
    return _rate_table(score[:past], y[:past])(score[past:])


def _rate_table(score: Floats, y: Floats) -> LoadTable:
    """Fit a table of event rates to binned scores; a missing score is mapped to the base rate."""
    known = ~np.isnan(y) & ~np.isnan(score)
    rates = binned_event_rates(score[known].astype(np.float64), y[known])
    return LoadTable(*rates, _base_rate(y))


def _base_rate(y: Floats) -> float:
    """Return the event rate of the known labels; NaN if no label is known."""
    return float(np.nanmean(y)) if not np.isnan(y).all() else float("nan")


def climatology_and_persistence(train_labels: Floats, train_state: Floats, state: Floats) -> dict[str, Floats]:
    """Return the probabilities of climatology and persistence, which do not use the load index.

    Climatology is the base rate of the training samples. Persistence is the event rate of the training samples in the
    same load state, or the base rate if the load state is unknown.

    Args:
        train_labels: (rows, horizons), NaN if unknown.
        train_state: (rows,) load state of the training samples: 1 high, 0 calm, NaN if unknown.
        state: (n,) load state of the samples to predict, encoded as `train_state`.

    Returns:
        (n, horizons) probabilities of each baseline, keyed by name; NaN for a horizon without a known label.
    """
    base_rates = np.array([_base_rate(y) for y in train_labels.T])
    rates = {}
    for value in (0.0, 1.0):
        y = train_labels[train_state == value]
        known = ~np.isnan(y)
        # Additive smoothing with one sample at the base rate, for a state with few samples.
        rates[value] = (np.where(known, y, 0).sum(axis=0) + base_rates) / (known.sum(axis=0) + 1)
    persistence = np.where((state == 1)[:, None], rates[1.0], rates[0.0])
    persistence[np.isnan(state)] = base_rates
    return {CLIMATOLOGY: np.tile(base_rates, (len(state), 1)), PERSISTENCE: persistence}
