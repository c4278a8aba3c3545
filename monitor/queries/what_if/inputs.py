"""Inputs of what-if: stored probabilities, and labels of the stored samples by other rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from model.array_types import Bools, Floats
from model.features.labels import Rules, future_labels
from model.forecast.events import period_onsets
from monitor.queries.scorecard import CHUNK_SECONDS, EVALUATION_INTERVAL, read_window
from monitor.stores import Stores
from storage import Prediction


@dataclass(frozen=True)
class StoredProbabilities:
    """Stored predictions of one horizon, at most one per EVALUATION_INTERVAL.

    Attributes:
        at: (rows,) seconds since the epoch, increasing.
        probability: (rows,).
        threshold: (rows,) start threshold of the warning when the prediction was made; infinite for no warnings.
    """

    at: Floats
    probability: Floats
    threshold: Floats


@dataclass(frozen=True)
class Labels:
    """Load state and outcomes by some rules, at most one row per EVALUATION_INTERVAL.

    Attributes:
        times: (rows,) seconds since the epoch, increasing.
        last_high: (rows,) time of the last sample during high load, -inf if there is none.
        in_period: (rows,) True during a high-load period.
        outcomes: (rows, horizons) 1 if high load occurs within the horizon, 0 if not, NaN if unknown.
        onsets: (periods,) starts of the high-load periods in seconds since the epoch, increasing.
    """

    times: Floats
    last_high: Floats
    in_period: Bools
    outcomes: Floats
    onsets: Floats


def read_probabilities(
    stores: Stores, horizons: Sequence[float], period: tuple[float, float]
) -> dict[float, StoredProbabilities]:
    """Return the live predictions of a period by horizon.

    Args:
        stores: repositories.
        horizons: seconds.
        period: start (exclusive) and end (inclusive) in seconds since the epoch.

    Raises:
        StorageError: the database cannot be read.
    """
    rows: dict[float, list[Floats]] = {horizon: [np.empty((0, 3))] for horizon in horizons}
    for start, end in _chunks(period):
        predictions = stores.predictions.between(start, end)
        for horizon in horizons:
            rows[horizon].append(_thinned([p for p in predictions if p.horizon == horizon]))
    stacked = {horizon: np.concatenate(parts) for horizon, parts in rows.items()}
    return {horizon: StoredProbabilities(*values.T) for horizon, values in stacked.items()}


def read_labels(
    stores: Stores, rules: Rules, step: float, horizons: Sequence[float], period: tuple[float, float]
) -> Labels:
    """Return the labels of the samples of a period.

    Args:
        stores: repositories.
        rules: high-load rules with numbers as bounds.
        step: seconds between samples.
        horizons: seconds.
        period: start (exclusive) and end (inclusive) in seconds since the epoch.

    Raises:
        StorageError: the database cannot be read.
    """
    chunks = [_label_chunk(stores, rules, step, horizons, chunk) for chunk in _chunks(period)]
    last_high = np.concatenate([chunk.last_high for chunk in chunks])
    return Labels(
        times=np.concatenate([chunk.times for chunk in chunks]),
        last_high=np.maximum.accumulate(last_high) if len(last_high) else last_high,
        in_period=np.concatenate([chunk.in_period for chunk in chunks]),
        outcomes=np.concatenate([chunk.outcomes for chunk in chunks]),
        onsets=np.concatenate([chunk.onsets for chunk in chunks]),
    )


def _label_chunk(
    stores: Stores, rules: Rules, step: float, horizons: Sequence[float], period: tuple[float, float]
) -> Labels:
    """Return the labels of one chunk; `last_high` refers to the chunk and the samples shortly before it only."""
    start, end = period
    window, rows = read_window(stores, rules, step, horizons, period)
    onsets = period_onsets(window.times, window.state, window.period_start)
    return Labels(
        times=window.times[rows],
        last_high=window.last_high[rows],
        in_period=np.isfinite(window.period_start[rows]),
        outcomes=future_labels(window.times, window.state, horizons, rows),
        onsets=onsets[(onsets > start) & (onsets <= end)],
    )


def _chunks(period: tuple[float, float]) -> list[tuple[float, float]]:
    start, end = period
    return list(pairwise([*np.arange(start, end, CHUNK_SECONDS).tolist(), end]))


def _thinned(predictions: Sequence[Prediction]) -> Floats:
    """Return time, probability and threshold (rows, 3) of the first prediction in each EVALUATION_INTERVAL."""
    values = np.array([(p.at, p.probability, p.threshold) for p in predictions], dtype=np.float64).reshape(-1, 3)
    return values[np.diff(values[:, 0] // EVALUATION_INTERVAL, prepend=-np.inf) > 0]
