"""Scoring job: compare stored predictions with their outcomes.

A prediction is scored once its horizon has passed. If samples do not cover the horizon, its outcome is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np

from model.array_types import Bools, Floats
from model.features.labels import Rules, future_labels
from model.features.rolling_window import RollingWindow
from model.features.spacing import GAP_FACTOR, RECENT_INTERVALS
from model.forecast.score_totals import ScoredPredictions, total_scores
from model.units import HOUR
from monitor.stores import TIME_EPSILON, Stores
from storage import Onset, Prediction, ScoreRow

CHUNK_SECONDS = 6 * HOUR
"""Seconds of predictions that are scored at once, which bounds memory after a long downtime of the daemon."""

MIN_INTERVAL = 10.0
MAX_INTERVAL = 300.0
"""Shortest and longest interval between two runs, in seconds."""


def score_matured(stores: Stores, rules: Rules, step: float, now: float) -> None:
    """Score the predictions whose outcome can be known at `now`.

    Args:
        stores: repositories.
        rules: high-load rules, resolved.
        step: seconds between samples.
        now: seconds since the epoch.

    Raises:
        StorageError: the database cannot be read or written; the next call scores the remaining predictions.
    """
    for horizon in {prediction.horizon for prediction in stores.predictions.last()}:
        while _score_chunk(stores, rules, step, horizon, now):
            pass


def _score_chunk(stores: Stores, rules: Rules, step: float, horizon: float, now: float) -> bool:
    """Score up to CHUNK_SECONDS of predictions for one horizon; return True if there may be more."""
    # a sample may be stored late
    last = now - horizon - 2 * step
    scored_until = stores.scores.scored_until().get(horizon, -math.inf)
    if scored_until > now:
        # the clock was set back: predictions between `last` and `scored_until` stay unscored
        stores.scores.add(horizon, last, [], [])
        return False
    first = stores.predictions.next_time(scored_until, horizon)
    if first is None or first > last:
        return False
    # skip time without predictions
    start = scored_until if first - scored_until < CHUNK_SECONDS else first - TIME_EPSILON
    end = min(last, start + CHUNK_SECONDS)
    margin = rules.sustained + (2 * GAP_FACTOR + RECENT_INTERVALS) * step
    rows = stores.samples.between(start - horizon - margin, end + horizon + 2 * step, rules.metrics)
    window = RollingWindow(rules.metrics, rules, step)
    window.extend(rows[:, 0], rows[:, 1:])
    predictions = _PredictionArrays(stores.predictions.between(start - horizon, end, horizon), window)
    totals = total_scores(predictions.scored(window, horizon, after=start))
    onsets = predictions.onsets(window, horizon, start, end)
    stores.scores.add(horizon, end, [ScoreRow(**asdict(row)) for row in totals], onsets)
    return end < last


class _PredictionArrays:
    """Predictions for one horizon as arrays, with the load state at the time of each."""

    def __init__(self, predictions: list[Prediction], window: RollingWindow) -> None:
        """Convert predictions.

        Args:
            predictions: in time order.
            window: samples of the same period.
        """
        self._at: Floats = np.array([p.at for p in predictions])
        self._probability: Floats = np.array([p.probability for p in predictions])
        self._baseline: Floats = np.array([p.baseline_probability for p in predictions])
        self._warning: Bools = np.array([p.warning for p in predictions], dtype=bool)
        self._row = np.searchsorted(window.times, self._at)
        inside = self._row < len(window)
        self._has_sample = np.zeros(len(self._at), bool)
        self._has_sample[inside] = window.times[self._row[inside]] == self._at[inside]
        self._in_period: Bools = np.zeros(len(self._at), bool)
        self._in_period[self._has_sample] = np.isfinite(window.period_start[self._row[self._has_sample]])

    def scored(self, window: RollingWindow, horizon: float, after: float) -> ScoredPredictions:
        """Return the predictions made after `after` (seconds since the epoch) with their outcomes."""
        outcomes = np.full(len(self._at), np.nan)
        rows = self._row[self._has_sample]
        outcomes[self._has_sample] = future_labels(window.times, window.state, (horizon,), rows)[:, 0]
        new = self._at > after
        return ScoredPredictions(
            at=self._at[new],
            probability=self._probability[new],
            baseline=self._baseline[new],
            warning=self._warning[new],
            high_load=self._in_period[new],
            outcome=outcomes[new],
        )

    def onsets(self, window: RollingWindow, horizon: float, start: float, end: float) -> list[Onset]:
        """Return the onsets in (start, end] with the lead time of the first warning within the horizon before each.

        The lead time is None if there was no warning. An onset without a prediction in that time is left out.
        """
        starts = window.period_start[1:] == window.times[1:]
        times = window.times[1:][starts & (window.state[:-1] == 0)]
        onsets = []
        for at in times[(times > start) & (times <= end)].tolist():
            before = (self._at >= at - horizon) & (self._at < at) & self._has_sample & ~self._in_period
            if before.any():
                warnings = self._at[before & self._warning]
                onsets.append(Onset(at, float(at - warnings[0]) if len(warnings) else None))
        return onsets


def scoring_interval(horizons: Sequence[float]) -> float:
    """Return the seconds between two runs: the shortest horizon, clipped to [MIN_INTERVAL, MAX_INTERVAL]."""
    shortest = min(horizons, default=MIN_INTERVAL)
    return float(min(max(shortest, MIN_INTERVAL), MAX_INTERVAL))


class ScoringJob:
    """Periodic job that scores matured predictions under the high-load rules of the serving model."""

    def __init__(self, stores: Stores, rules: Callable[[], Rules], step: float, clock: Callable[[], float]) -> None:
        """Create the job.

        Args:
            stores: repositories.
            rules: returns the rules of the serving model.
            step: seconds between samples.
            clock: returns the current time in seconds since the epoch.
        """
        self._stores = stores
        self._rules = rules
        self._step = step
        self._clock = clock

    def run(self) -> None:
        """Score the predictions whose outcome is known, unless the rules have unresolved percentile bounds.

        Raises:
            StorageError: the database cannot be read or written.
        """
        rules = self._rules()
        if rules.resolved:
            score_matured(self._stores, rules, self._step, self._clock())
