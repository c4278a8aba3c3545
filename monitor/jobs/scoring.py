"""Scoring job: compare stored predictions with their outcomes.

A prediction is scored once its horizon has passed. If samples do not cover the horizon, its outcome is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from model.features.labels import Rules
from model.units import HOUR
from monitor.inference.prediction_outcomes import score_period
from monitor.stores import TIME_EPSILON, Stores

CHUNK_SECONDS = 6 * HOUR
"""Seconds of predictions that are scored at once, which bounds memory after a long downtime of the daemon."""

MIN_INTERVAL = 10.0
MAX_INTERVAL = 300.0
"""Shortest and longest interval between two runs, in seconds."""


def score_matured(stores: Stores, rules: Rules, step: float, now: float) -> None:
    """Score the predictions whose horizon ended two or more steps before `now`, and store the scores.

    Only the horizons of the newest predictions are scored.

    Args:
        stores: repositories.
        rules: high-load rules with resolved percentile bounds.
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
    # The sample at the end of the horizon may be stored up to two intervals late.
    last = now - horizon - 2 * step
    scored_until = stores.scores.scored_until().get(horizon, -math.inf)
    if scored_until > now:
        # The clock was set back: predictions between `last` and `scored_until` stay unscored.
        stores.scores.add(horizon, last, [], [])
        return False
    first = stores.predictions.next_time(scored_until, horizon)
    if first is None or first > last:
        return False
    # Skip time without predictions.
    start = scored_until if first - scored_until < CHUNK_SECONDS else first - TIME_EPSILON
    end = min(last, start + CHUNK_SECONDS)
    score = score_period(stores, stores.predictions, rules, step, horizon, (start, end))
    stores.scores.add(horizon, end, score.totals, score.onsets)
    return end < last


def scoring_interval(horizons: Sequence[float]) -> float:
    """Return the seconds between two runs: the shortest horizon, clipped to [MIN_INTERVAL, MAX_INTERVAL]."""
    shortest = min(horizons, default=MIN_INTERVAL)
    return float(min(max(shortest, MIN_INTERVAL), MAX_INTERVAL))


class ScoringJob:
    """Periodic job that scores matured predictions under the high-load rules of the serving model."""

    def __init__(self, stores: Stores, rules: Callable[[], Rules], step: float, clock: Callable[[], float]) -> None:
        """Initialize the job.

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
        """Score the predictions whose horizon has ended, unless the rules have unresolved percentile bounds.

        Raises:
            StorageError: the database cannot be read or written.
        """
        rules = self._rules()
        if rules.resolved:
            score_matured(self._stores, rules, self._step, self._clock())
