"""Fallback rule: compare a serving model with baselines on matured predictions.

A model that beat the baselines in its evaluation may become worse than a baseline when load changes. The last week is
replayed day by day: recalibration and baselines are fitted to the outcomes known at the start of a day, and scored on
that day. A baseline that was significantly better serves in place of the model, separately for calm and high load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats
from model.features.dataset import typical_step
from model.forecast.baselines import CURRENT_VALUE, HOLT_WINTERS
from model.forecast.blend import fit_load_table
from model.forecast.log_odds import logit, sigmoid
from model.forecast.online.decisions import FallbackBaseline, FallbackDecision
from model.forecast.online.prediction_log import MaturedPredictions
from model.forecast.online.recalibration import (
    fit_recalibrations,
    fit_recent,
)
from model.forecast.online.running_level import level_offsets
from model.forecast.smoothing import best_smoothing
from model.serving import MODEL
from model.units import DAY, HOUR

COMPARED_DAYS = 7
"""Number of days over which the model and the baselines are compared."""

BASELINE_HISTORY = 14 * DAY
"""Seconds of outcomes that a baseline is fitted to."""

HISTORY_SECONDS = COMPARED_DAYS * DAY + BASELINE_HISTORY
"""Seconds of outcomes that a comparison uses."""

MARGIN = 2.0
"""Number of standard errors by which the Brier score of a baseline must be better than the model's."""

MIN_BLOCKS = 12
"""Smallest number of blocks for a comparison (see `_better_baseline` for the block length)."""


def decide_fallbacks(
    matured: MaturedPredictions, horizons: Sequence[float], now: float
) -> tuple[FallbackDecision, ...]:
    """Return one decision per horizon, using outcomes known at `now`.

    Args:
        matured: predictions of one host with their outcomes.
        horizons: horizons of the columns of `matured`, in seconds.
        now: current time in seconds since the epoch.
    """
    recalibrations = fit_recalibrations(
        matured.times, matured.probabilities, matured.outcomes, matured.high, horizons, now
    )
    decisions = []
    for i, (horizon, recalibration) in enumerate(zip(horizons, recalibrations, strict=True)):
        calm = _better_baseline(_select(matured, i, ~matured.high), horizon, now)
        high = _better_baseline(_select(matured, i, matured.high), horizon, now)
        decisions.append(FallbackDecision(recalibration, calm, high))
    return tuple(decisions)


@dataclass(frozen=True)
class _Predictions:
    """Matured predictions of one horizon in one load state, with known outcomes.

    The shape of `forecasts` is (smoothings, rows); the shape of all other arrays is (rows,).
    """

    times: Floats
    p: Floats
    y: Floats
    load_index: Floats
    forecasts: Floats

    def take(self, rows: Bools) -> _Predictions:
        """Return the rows that a mask selects."""
        return _Predictions(
            times=self.times[rows],
            p=self.p[rows],
            y=self.y[rows],
            load_index=self.load_index[rows],
            forecasts=self.forecasts[:, rows],
        )

    def scores_of(self, baseline: FallbackBaseline) -> Floats:
        """Return the scores (rows,) that the table of a baseline maps to log-odds."""
        return self.load_index if baseline.smoothing is None else self.forecasts[baseline.smoothing]


def _select(matured: MaturedPredictions, column: int, state: Bools) -> _Predictions:
    """Return the predictions with a known outcome, for one horizon and load state.

    Args:
        matured: predictions of one host with their outcomes.
        column: index of the horizon.
        state: (rows,) True for the predictions made in the load state.
    """
    rows = state & ~np.isnan(matured.outcomes[:, column])
    return _Predictions(
        times=matured.times[rows],
        p=matured.probabilities[rows, column],
        y=matured.outcomes[rows, column],
        load_index=matured.load_index[rows],
        forecasts=matured.forecasts[:, rows, column],
    )


def _better_baseline(past: _Predictions, horizon: float, now: float) -> FallbackBaseline | None:
    """Return the most accurate of the baselines that beat the model by more than chance; None if none does."""
    times, errors = _replayed_errors(past, horizon, now)
    if not len(times):
        return None
    block = max(4 * HOUR, 2 * horizon)
    model_errors = errors.pop(MODEL)
    gains = {name: model_errors - own for name, own in errors.items()}
    better = {name: float(gain.mean()) for name, gain in gains.items() if _exceeds_chance(gain, times, block)}
    if not better:
        return None
    recent = past.take((past.times + horizon < now) & (past.times > now - BASELINE_HISTORY))
    best = max(better, key=lambda name: better[name])
    return next(baseline for baseline in _fit_baselines(recent) if baseline.name == best)


def _replayed_errors(past: _Predictions, horizon: float, now: float) -> tuple[Floats, dict[str, Floats]]:
    """Replay the last COMPARED_DAYS days, and return the squared errors of the recalibrated model and the baselines.

    A day is skipped if it has no prediction of the model, or if the outcomes known at its start are all equal.

    Returns:
        The times (n,) of the scored predictions, and the squared errors (n,) of each predictor, keyed by name.
    """
    step = typical_step(past.times, default=1.0)
    times: list[Floats] = [np.empty(0)]
    labels: list[Floats] = [np.empty(0)]
    recalibrated: list[Floats] = [np.empty(0)]
    errors: dict[str, list[Floats]] = {}
    for day in range(COMPARED_DAYS):
        start = now - COMPARED_DAYS * DAY + day * DAY
        of_day = (past.times >= start) & (past.times < start + DAY) & (past.times + horizon < now)
        scored = past.take(of_day & ~np.isnan(past.p))
        known = past.take((past.times + horizon < start) & (past.times > start - BASELINE_HISTORY))
        if not len(scored.times) or not known.y.any() or known.y.all():
            continue
        times.append(scored.times)
        labels.append(scored.y)
        recalibrated.append(_recalibrated(known, scored, horizon, start, step))
        for baseline in _fit_baselines(known):
            p = sigmoid(baseline.table(scored.scores_of(baseline)))
            errors.setdefault(baseline.name, []).append(np.square(p - scored.y))
    all_times = np.concatenate(times)
    y = np.concatenate(labels)
    z = np.concatenate(recalibrated)
    own = sigmoid(z + level_offsets(all_times, z, y, horizon))
    return all_times, {MODEL: np.square(own - y), **{name: np.concatenate(parts) for name, parts in errors.items()}}


def _recalibrated(known: _Predictions, scored: _Predictions, horizon: float, now: float, step: float) -> Floats:
    """Return the model's log-odds (rows,) for `scored`, recalibrated at `now` on the outcomes of `known`."""
    own = known.take(~np.isnan(known.p))
    return fit_recent(own.times, own.p, own.y, horizon, now, step)(logit(scored.p))


def _fit_baselines(known: _Predictions) -> list[FallbackBaseline]:
    """Fit the table of each baseline to known outcomes; without forecasts, Holt-Winters is left out."""
    baselines = [FallbackBaseline(CURRENT_VALUE, fit_load_table(known.load_index, known.y))]
    if len(known.forecasts):
        best = best_smoothing(known.forecasts, known.y)
        table = fit_load_table(known.forecasts[best], known.y)
        baselines.append(FallbackBaseline(HOLT_WINTERS, table, best))
    return baselines


def _exceeds_chance(gain: Floats, times: Floats, block: float) -> bool:
    """Return True if the mean gain exceeds MARGIN standard errors, computed over blocks of correlated rows.

    It is False if there are fewer than MIN_BLOCKS blocks.

    Args:
        gain: (rows,) reduction of the squared error.
        times: (rows,) seconds.
        block: block length in seconds.
    """
    _, blocks = np.unique(times // block, return_inverse=True)
    sizes = np.bincount(blocks)
    if len(sizes) < MIN_BLOCKS:
        return False
    totals = np.bincount(blocks, weights=gain)
    mean = totals.sum() / sizes.sum()
    # Standard error of a ratio of sums, because blocks have unequal sizes.
    error = np.sqrt(np.sum(np.square(totals - mean * sizes))) / sizes.sum()
    return bool(mean > MARGIN * error)
