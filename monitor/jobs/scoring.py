"""What was predicted against what then happened, once it is known.

Each prediction waits until its horizon has passed. Where the time after it was not watched throughout, its outcome is
unknown, not wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from model.array_types import Bools, Floats
from model.features.labels import GAP_FACTOR, Rules, future_labels
from model.features.rolling_window import RollingWindow
from model.forecast.score_totals import ScoreTotals, sum_scores
from model.units import HOUR
from monitor.stores import TIME_EPSILON, Stores, is_warning
from storage import Onset, Prediction, ScoreRow

AT_ONCE = 6 * HOUR
"""Seconds of predictions that are scored in one go: after days without a daemon they must not all be read at once."""


def score_matured(stores: Stores, rules: Rules, step: float, now: float) -> None:
    """Scores what can be scored by now.

    Args:
        stores: of the database.
        rules: what high load is, resolved.
        step: seconds between samples.
        now: seconds since the epoch.

    Raises:
        StorageError: the database cannot be read or written; what was not scored will be.
    """
    for horizon in {prediction.horizon for prediction in stores.predictions.last()}:
        while _score_some(stores, rules, step, horizon, now):
            pass


def _score_some(stores: Stores, rules: Rules, step: float, horizon: float, now: float) -> bool:
    """Scores some hours; whether there may be more."""
    # a sample may come late
    last, done = now - horizon - 2 * step, stores.scores.scored_until().get(horizon, -math.inf)
    if done > now:
        # the clock was ahead and is right again: what was predicted meanwhile stays unscored
        stores.scores.add(horizon, last, [], [])
        return False
    first = stores.predictions.next_time(done, horizon)
    if first is None or first > last:
        return False
    # what nobody predicted need not be walked through
    start = done if first - done < AT_ONCE else first - TIME_EPSILON
    end = min(last, start + AT_ONCE)
    margin = rules.sustained + 2 * GAP_FACTOR * step
    predictions = stores.predictions.between(start - horizon, end, horizon)
    rows = stores.samples.between(start - horizon - margin, end + horizon + 2 * step, rules.metrics)
    history = RollingWindow(rules.metrics, rules, step)
    history.extend(rows[:, 0], rows[:, 1:])
    seen = _Seen(predictions, history)
    late = seen.at > start
    y = seen.outcomes(history, horizon, step)
    tallies = sum_scores(
        seen.at[late], seen.p[late], seen.base[late], seen.warned[late], seen.state[late] == 1, y[late]
    )
    stretches = seen.leads(history, horizon, start, end)
    stores.scores.add(horizon, end, [_stored(row) for row in tallies], stretches)
    return end < last


class _Seen:
    """Predictions as arrays, with the state at the moment of each."""

    def __init__(self, predictions: list[Prediction], history: RollingWindow) -> None:
        self.at: Floats = np.array([p.at for p in predictions])
        self.p: Floats = np.array([p.probability for p in predictions])
        self.base: Floats = np.array([p.baseline_probability for p in predictions])
        self.warned: Bools = np.array([is_warning(p) for p in predictions], dtype=bool)
        self._row = np.searchsorted(history.times, self.at)
        inside = self._row < len(history)
        self._there = np.zeros(len(self.at), bool)
        self._there[inside] = history.times[self._row[inside]] == self.at[inside]
        self.state: Floats = np.full(len(self.at), np.nan)
        self.state[self._there] = history.state[self._row[self._there]]

    def outcomes(self, history: RollingWindow, horizon: float, step: float) -> Floats:
        """(predictions,) 1 where high load followed, NaN where that is unknown."""
        y = np.full(len(self.at), np.nan)
        rows = self._row[self._there]
        y[self._there] = future_labels(history.times, history.state, (horizon,), step, rows)[:, 0]
        return y

    def leads(self, history: RollingWindow, horizon: float, start: float, end: float) -> list[Onset]:
        """When load became high in (start, end], and how long before it was warned of.

        A stretch before which nothing was predicted at all is left out.
        """
        state = history.state
        begins = history.times[1:][(state[1:] == 1) & (state[:-1] == 0)]
        found: list[Onset] = []
        for at in begins[(begins > start) & (begins <= end)].tolist():
            before = (self.at >= at - horizon) & (self.at < at) & (self.state == 0)
            if before.any():
                warnings = self.at[before & self.warned]
                found.append(Onset(at, float(at - warnings[0]) if len(warnings) else None))
        return found


def _stored(row: ScoreTotals) -> ScoreRow:
    """Return the sums as the database keeps them."""
    return ScoreRow(
        hour=row.hour,
        high_load=row.high,
        decile=row.decile,
        unknown=row.unknown,
        scored=row.scored,
        events=row.events,
        warnings=row.warned,
        true_warnings=row.warned_events,
        probability_sum=row.said,
        probability_squared_sum=row.said_squared,
        probability_event_sum=row.said_right,
        baseline_squared_sum=row.base_squared,
        baseline_event_sum=row.base_right,
    )


def scoring_interval(horizons: Sequence[float]) -> float:
    """Seconds between two looks: no outcome is known before the shortest horizon has passed."""
    return float(min(max(*horizons[:1], 10.0), 300.0))


class ScoringJob:
    """The daemon's job: scores what has matured, under the rules of the serving model."""

    def __init__(self, stores: Stores, rules: Callable[[], Rules], step: float, clock: Callable[[], float]) -> None:
        self._stores, self._rules, self._step, self._clock = stores, rules, step, clock

    def __call__(self) -> None:
        rules = self._rules()
        if rules.resolved:
            score_matured(self._stores, rules, self._step, self._clock())
