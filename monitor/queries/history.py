"""History for charts: stored samples, predictions and anomalies in time slots."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.features.labels import Rules
from model.features.rolling_window import RollingWindow
from model.units import DAY, HOUR
from monitor.inference.prediction_schedule import prediction_interval
from monitor.inference.stored_samples import read_samples
from monitor.queries.anomaly_scores import AnomalyScores
from monitor.stores import Stores
from storage import SAMPLE_FIELDS, AnomalyRecord

MAX_RANGE = 90 * DAY
"""Longest history that can be read, in seconds."""

CHUNK_SECONDS = 6 * HOUR
"""Seconds of samples that are read at once for the high-load periods: each chunk reads a compressed hour twice."""

MAX_POINTS = 2000
"""Largest number of slots."""

SLOT_LENGTHS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
"""Allowed slot lengths in seconds; with round lengths, successive charts share the slot boundaries."""


@dataclass(frozen=True)
class RecentHistory:
    """Recent history in slots of equal length.

    Attributes:
        start: start of the first slot in seconds since the epoch.
        step: length of a slot in seconds.
        count: number of slots.
        load: (count, SAMPLE_FIELDS) mean of each metric; NaN if a slot has no value.
        high_load_periods: (first, last) sample time of each period in seconds since the epoch.
        rules: high-load rules as tuples of (metric, bound).
        predictions: for each horizon in seconds, (count, 5): largest probability, mean baseline probability, smallest
            threshold, 1 for a warning, 1 for replayed predictions only. A slot before the next prediction is due has
            the values of the last one; NaN for other slots without predictions.
        anomaly_scores: (count, 2) largest anomaly score and evidence ratio; NaN for a slot without scores.
        anomalies: anomaly events that overlap the slots.
    """

    start: float
    step: float
    count: int
    load: Floats
    high_load_periods: tuple[tuple[float, float], ...]
    rules: tuple[tuple[tuple[str, float | str], ...], ...]
    predictions: Mapping[float, Floats]
    anomaly_scores: Floats
    anomalies: tuple[AnomalyRecord, ...]


class HistoryReader:
    """Reader of the recent history. Safe to use from several threads."""

    def __init__(self, stores: Stores, rules: Callable[[], Rules], interval: float) -> None:
        """Initialize the reader.

        Args:
            stores: repositories.
            rules: returns the high-load rules of the serving model.
            interval: seconds between samples.
        """
        self._stores = stores
        self._rules = rules
        self._interval = interval

    def read(self, seconds: float, points: int, until: float, recent_scores: AnomalyScores) -> RecentHistory:
        """Return samples, predictions, anomalies and high-load periods in slots of equal length.

        Args:
            seconds: length of the history, at most MAX_RANGE.
            points: largest number of slots, at most MAX_POINTS.
            until: seconds since the epoch; the last slot contains this time.
            recent_scores: output of the online detector for the most recent rows.

        Raises:
            StorageError: the database cannot be read.
        """
        step = slot_length(seconds / points, self._interval)
        count = max(1, round(seconds / step))
        start = (until // step + 1 - count) * step
        end = start + step * count
        anomaly_scores = np.column_stack((recent_scores.scores, recent_scores.evidence_ratios))
        return RecentHistory(
            start=start,
            step=step,
            count=count,
            load=self._stores.samples.bucket_means(start, step, count),
            high_load_periods=self._high_load_periods(start, end),
            rules=self._rules().rules,
            predictions=merged_predictions(
                held_predictions(self._stores.predictions.bucket_maxima(start, step, count), step, self._interval),
                self._stores.replayed_predictions.bucket_maxima(start, step, count),
            ),
            anomaly_scores=_maxima(recent_scores.times, anomaly_scores, start, step, count),
            anomalies=tuple(event for event in self._stores.anomalies.since(start) if event.started_at < end),
        )

    def _high_load_periods(self, start: float, end: float) -> tuple[tuple[float, float], ...]:
        """Return the first and the last sample time of each high-load period in [start, end].

        Empty while the rules have unresolved percentile bounds. All times are in seconds since the epoch.
        """
        rules = self._rules()
        if not rules.resolved:
            return ()
        margin = 2 * (rules.sustained + self._interval)
        times: list[Floats] = [np.empty(0)]
        starts: list[Floats] = [np.empty(0)]
        for first, last in self._possible_periods(rules, start, end, margin):
            window = RollingWindow(rules.metrics, rules, self._interval, keep_seconds=margin)
            for rows in read_samples(self._stores, rules.metrics, first, last, CHUNK_SECONDS):
                window.extend(rows[:, 0], rows[:, 1:])
                newest = slice(len(window) - len(rows), None)
                times.append(window.times[newest].copy())
                starts.append(window.period_start[newest].copy())
        return high_load_periods(np.concatenate(times), np.concatenate(starts), start)

    def _possible_periods(
        self, rules: Rules, start: float, end: float, margin: float
    ) -> tuple[tuple[float, float], ...]:
        """Return the periods outside of which no sample is part of a high-load period, in seconds since the epoch.

        A rule can hold only in an hour in which the maxima of its metrics reach the bounds.
        """
        if end - start <= DAY:
            return ((start - margin, end),)
        first_hour = (start - margin) // HOUR * HOUR
        maxima = self._stores.samples.bucket_maxima(first_hour, HOUR, math.ceil((end - first_hour) / HOUR))
        is_possible = rules.load_index(SAMPLE_FIELDS, maxima) >= 1
        hours = first_hour + HOUR * np.flatnonzero(is_possible)
        # An hour more on both sides shows the spacing of the samples, and the end of the high load.
        return joined_periods(hours - max(margin, HOUR), hours + HOUR + max(margin, HOUR), start - margin, end)


def joined_periods(starts: Floats, ends: Floats, first: float, last: float) -> tuple[tuple[float, float], ...]:
    """Return the union of periods of equal length within [first, last], as periods that do not overlap.

    Args:
        starts: (periods,) in order.
        ends: (periods,) in order.
        first: start of the result.
        last: end of the result.
    """
    if not len(starts):
        return ()
    begins = np.append(True, starts[1:] > ends[:-1])
    joined = zip(starts[begins].tolist(), ends[np.append(begins[1:], True)].tolist(), strict=True)
    return tuple((max(start, first), min(end, last)) for start, end in joined)


def held_predictions(live: Mapping[float, Floats], step: float, interval: float) -> dict[float, Floats]:
    """Return the live predictions with the slots filled in which the last prediction stands.

    Args:
        live: (slots, columns) for each horizon, NaN in empty slots.
        step: length of a slot in seconds.
        interval: seconds between samples.
    """
    held = dict(live)
    filled = {horizon: np.flatnonzero(~np.isnan(table[:, 0])) for horizon, table in live.items()}
    ends = {horizon: int(slots[-1]) for horizon, slots in filled.items() if len(slots)}
    # The horizons of the model that predicted last, as an earlier one may have had others.
    serving = [horizon for horizon, end in ends.items() if end == max(ends.values())]
    between = prediction_interval(interval, serving) if serving else 0.0
    if between > step:
        # One slot more, because the sample of a prediction may be late.
        longest = math.ceil(between / step)
        for horizon, table in live.items():
            rows = np.arange(len(table))
            last = np.maximum.accumulate(np.where(np.isnan(table[:, 0]), -1, rows))
            stands = (last >= 0) & (rows - last <= longest)
            held[horizon] = np.where(stands[:, None], table[last], np.nan)
    return held


def merged_predictions(live: Mapping[float, Floats], replayed: Mapping[float, Floats]) -> dict[float, Floats]:
    """Return the live predictions for each horizon; slots without live predictions hold the replayed predictions.

    Args:
        live: (slots, columns) for each horizon, NaN in empty slots.
        replayed: same form as `live`.

    Returns:
        (slots, columns + 1) for each horizon, shortest first; the last column is 1 for a replayed slot, 0 for a live
        slot and NaN for an empty slot.
    """
    merged = {}
    for horizon, any_table in sorted({**live, **replayed}.items()):
        none = np.full_like(any_table, np.nan)
        table = live.get(horizon, none)
        other = replayed.get(horizon, none)
        is_replayed = np.isnan(table[:, 0]) & ~np.isnan(other[:, 0])
        chosen = np.where(is_replayed[:, None], other, table)
        mark = np.where(np.isnan(chosen[:, 0]), np.nan, is_replayed)
        merged[horizon] = np.column_stack((chosen, mark))
    return merged


def slot_length(wanted: float, interval: float) -> float:
    """Return the shortest of SLOT_LENGTHS that is at least `wanted` and `interval` (seconds), or else the longest."""
    needed = max(wanted, interval)
    return float(next((length for length in SLOT_LENGTHS if length >= needed - 1e-9), SLOT_LENGTHS[-1]))


def high_load_periods(times: Floats, starts: Floats, since: float) -> tuple[tuple[float, float], ...]:
    """Return the first and the last sample time of each high-load period since `since`.

    Args:
        times: (rows,) seconds, increasing.
        starts: (rows,) start of the period in progress, -inf while there is none.
        since: seconds; earlier rows are left out.
    """
    rows = (times >= since) & np.isfinite(starts)
    times = times[rows]
    _, first = np.unique(starts[rows], return_index=True)
    last = np.append(first[1:], len(times)) - 1
    return tuple(zip(times[first].tolist(), times[last].tolist(), strict=True)) if len(times) else ()


def _maxima(times: Floats, values: Floats, start: float, step: float, count: int) -> Floats:
    """Return the largest value of each slot and column (count, columns), NaN for an empty slot.

    Args:
        times: (rows,) seconds since the epoch; rows outside the slots are ignored.
        values: (rows, columns), NaN where unknown.
        start: start of the first slot in seconds since the epoch.
        step: length of a slot in seconds.
        count: number of slots.
    """
    maxima = np.full((count, values.shape[1]), -np.inf)
    slot = ((times - start) // step).astype(np.int64)
    inside = (slot >= 0) & (slot < count)
    np.maximum.at(maxima, slot[inside], np.nan_to_num(values[inside], nan=-np.inf))
    maxima[np.isinf(maxima)] = np.nan
    return maxima
