"""Event scorecard of stored predictions, with baselines computed from the stored samples."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import fields
from itertools import pairwise

import numpy as np

from model.array_types import Integers
from model.features.labels import Rules, future_labels
from model.features.rolling_window import RollingWindow
from model.features.spacing import GAP_FACTOR, RECENT_INTERVALS
from model.forecast.events import (
    MIN_PERIODS,
    BaselineInputs,
    EventScore,
    HorizonScorecard,
    Scorecard,
    baseline_scores,
    make_scorecard,
)
from model.units import HOUR
from monitor.queries.scores import SCORE_WINDOW, HorizonScore, read_scores
from monitor.stores import Stores

CHUNK_SECONDS = 6 * HOUR
"""Seconds of samples that are read at once, which bounds memory."""

CACHE_SECONDS = HOUR
"""Time in seconds for which a scorecard is kept: its baselines are computed from all samples of the window."""

EVALUATION_INTERVAL = 30.0
"""Shortest time in seconds between two evaluations of the baselines, as in a usual evaluation of alert rules."""


def read_scorecard(
    stores: Stores, scores: Sequence[HorizonScore], rules: Rules, step: float, since: float
) -> Scorecard:
    """Return the scorecard of scored predictions.

    Samples are read only if a horizon has enough high-load periods for a comparison with baselines.

    Args:
        stores: repositories.
        scores: scores of the live predictions since `since`.
        rules: high-load rules of the predictions.
        step: seconds between samples.
        since: start of the scored period in seconds since the epoch.

    Raises:
        StorageError: the database cannot be read.
    """
    compared = [score for score in scores if score.events.periods >= MIN_PERIODS and rules.resolved]
    baselines = _read_baselines(stores, compared, rules, step, since) if compared else {}
    return make_scorecard(
        [HorizonScorecard(score.horizon, score.events, baselines.get(score.horizon, {})) for score in scores]
    )


def _read_baselines(
    stores: Stores, scores: Sequence[HorizonScore], rules: Rules, step: float, since: float
) -> dict[float, dict[str, EventScore]]:
    """Return the event scores of the baselines by horizon and name.

    Only the hours with scored predictions count: samples may be older, for example if they were imported.
    """
    hours = {score.horizon: stores.scores.scored_hours(score.horizon, since - since % HOUR) for score in scores}
    start = min((hour for scored in hours.values() for hour in scored), default=since)
    end = max(stores.scores.scored_until().values(), default=since)
    inputs = read_baseline_inputs(stores, rules, step, list(hours), (max(since, start), end))
    for column, scored in enumerate(hours.values()):
        inputs.outcomes[~np.isin(inputs.times // HOUR * HOUR, scored), column] = np.nan
    return {
        score.horizon: baseline_scores(inputs, column, score.horizon, score.events)
        for column, score in enumerate(scores)
    }


class ScorecardReader:
    """Reader of the scorecard of the last SCORE_WINDOW seconds, kept for CACHE_SECONDS; thread-safe."""

    def __init__(self, stores: Stores, rules: Callable[[], Rules], step: float) -> None:
        """Initialize the reader.

        Args:
            stores: repositories.
            rules: returns the high-load rules of the serving model.
            step: seconds between samples.
        """
        self._stores = stores
        self._rules = rules
        self._step = step
        self._lock = threading.Lock()
        self._newest: tuple[Scorecard, float] | None = None

    @property
    def rules(self) -> Rules:
        """High-load rules of the serving model."""
        return self._rules()

    def read(self, now: float) -> tuple[Scorecard, float]:
        """Return the scorecard and the start of its period in seconds since the epoch.

        Args:
            now: seconds since the epoch.

        Raises:
            StorageError: the database cannot be read.
        """
        with self._lock:
            if self._newest is None or not 0 <= now - SCORE_WINDOW - self._newest[1] < CACHE_SECONDS:
                since = now - SCORE_WINDOW
                scores = read_scores(self._stores.scores, since)
                self._newest = read_scorecard(self._stores, scores, self._rules(), self._step, since), since
            return self._newest


def replayed_scorecard(scores: Sequence[HorizonScore]) -> Scorecard:
    """Return the scorecard of replayed predictions, without baselines."""
    return make_scorecard([HorizonScorecard(score.horizon, score.events, {}) for score in scores])


def read_baseline_inputs(
    stores: Stores, rules: Rules, step: float, horizons: Sequence[float], period: tuple[float, float]
) -> BaselineInputs:
    """Return the samples of a period for the baselines, at most one per EVALUATION_INTERVAL.

    Samples of one horizon after the period show which warnings continue; their own outcomes are NaN.

    Args:
        stores: repositories.
        rules: high-load rules with resolved percentile bounds.
        step: seconds between samples.
        horizons: seconds.
        period: start (exclusive) and end (inclusive) in seconds since the epoch.

    Raises:
        StorageError: the database cannot be read.
    """
    start, end = period
    last = end + max(horizons)
    bounds = np.append(np.arange(start, last, CHUNK_SECONDS), last).tolist()
    chunks = [_read_chunk(stores, rules, step, horizons, chunk) for chunk in pairwise(bounds)]
    arrays = {
        field.name: np.concatenate([getattr(chunk, field.name) for chunk in chunks])
        for field in fields(BaselineInputs)
    }
    arrays["outcomes"][arrays["times"] > end] = np.nan
    return BaselineInputs(**arrays | {"last_high": np.maximum.accumulate(arrays["last_high"])})


def read_window(
    stores: Stores, rules: Rules, step: float, horizons: Sequence[float], period: tuple[float, float]
) -> tuple[RollingWindow, Integers]:
    """Read the samples of a period, with those around it that states and labels depend on.

    Args:
        stores: repositories.
        rules: high-load rules.
        step: seconds between samples.
        horizons: seconds.
        period: start (excluded) and end (included) in seconds since the epoch.

    Returns:
        Rolling window, and (n,) index of the first sample of each EVALUATION_INTERVAL of the period.

    Raises:
        StorageError: the database cannot be read.
    """
    start, end = period
    margin = rules.sustained + (2 * GAP_FACTOR + RECENT_INTERVALS) * step
    samples = stores.samples.between(start - margin, end + max(horizons) + 2 * step, rules.metrics)
    window = RollingWindow(rules.metrics, rules, step)
    window.extend(samples[:, 0], samples[:, 1:])
    inside = np.flatnonzero((window.times > start) & (window.times <= end))
    intervals = window.times[inside] // EVALUATION_INTERVAL
    return window, inside[np.diff(intervals, prepend=-np.inf) > 0]


def _read_chunk(
    stores: Stores, rules: Rules, step: float, horizons: Sequence[float], period: tuple[float, float]
) -> BaselineInputs:
    """Return the inputs of one chunk; `last_high` refers to the chunk and the samples shortly before it only."""
    window, rows = read_window(stores, rules, step, horizons, period)
    return BaselineInputs(
        times=window.times[rows],
        load_index=window.load_index[rows],
        last_high=window.last_high[rows],
        in_period=np.isfinite(window.period_start[rows]),
        outcomes=future_labels(window.times, window.state, horizons, rows),
    )
