"""Seasonal features: load at the same time on previous days.

The features of a sample use only earlier time buckets, so all samples of a bucket share them. The exception is
`<metric>:departure:24h`, the last value of an input minus its mean over the last 24 hours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from model.array_types import Floats, Integers
from model.features.time_buckets import SEASONAL_DAYS, TimeBuckets
from model.units import DAY, HOUR

DECAY = 0.7
"""Weight of a day relative to the day after it, in weighted means over previous days."""

SPANS = (1, 4)
"""Lengths in hours of the spans before and after the same time yesterday; each yields a mean load index."""


def seasonal_feature_names(metrics: Sequence[str], horizons: Sequence[float]) -> tuple[str, ...]:
    """Return the names of the columns of `seasonal_features`.

    Args:
        metrics: names of the inputs.
        horizons: seconds.
    """
    ahead = [f"{horizon:g}s" for horizon in horizons]
    day = [f"{name}:departure:24h" for name in metrics]
    yesterday = ["yesterday:now"]
    yesterday += [f"yesterday:{side}:{hours}h" for hours in SPANS for side in ("before", "after")]
    yesterday += [f"yesterday:{statistic}:{span}" for span in ahead for statistic in ("max", "high")]
    days = ["past_days:now", "past_days:around", "past_days:departure", "past_days:deviation"]
    statistics = ("max", "top", "high", "high_weighted", "rise", "expected", "expected_max")
    days += [f"past_days:{statistic}:{span}" for span in ahead for statistic in statistics]
    return (*day, *yesterday, *days)


def seasonal_features(buckets: TimeBuckets, numbers: Integers, horizons: Sequence[float], scale: float) -> Floats:
    """Compute the seasonal features of the given buckets.

    The first columns are the means of the inputs over the last day; `design_matrix` subtracts them from the last
    values of the inputs.

    Args:
        buckets: time buckets of the history.
        numbers: (n,) bucket numbers.
        horizons: seconds.
        scale: fixed-point grid steps per unit of an input or of the load index.

    Returns:
        (n, features) float64 in the order of `seasonal_feature_names`, NaN where unknown.
    """
    view = _BucketWindows(buckets, numbers, scale)
    metrics = view.means(-buckets.day, -1)[:, :-1]
    columns = load_columns(view, buckets.width, horizons)
    return np.concatenate((metrics, np.stack(columns, axis=1)), axis=1)


class BucketStatistics(Protocol):
    """Statistics (n,) of the load index in the buckets at the offsets `first` to `last` from n buckets."""

    def load(self, first: int, last: int) -> Floats:
        """Return the mean load index (n,), NaN if unknown."""
        ...

    def max_index(self, first: int, last: int) -> Floats:
        """Return the largest load index of any sample (n,), NaN if unknown."""
        ...

    def max_mean(self, first: int, last: int) -> Floats:
        """Return the largest bucket mean of the load index (n,), NaN if unknown."""
        ...

    def high(self, first: int, last: int) -> Floats:
        """Return 1 if load was high in any bucket, 0 if not (n,); NaN if no load index is known."""
        ...


def load_columns(view: BucketStatistics, width: float, horizons: Sequence[float]) -> list[Floats]:
    """Return the seasonal features of the load index, as columns (n,) in the order of `seasonal_feature_names`.

    Args:
        view: statistics of the buckets before each of n given buckets.
        width: width of a bucket in seconds.
        horizons: seconds.
    """
    day = round(DAY / width)
    hour = round(HOUR / width)
    # At most a day: the window that starts at this time yesterday must end before the current bucket.
    ahead = [min(int(np.ceil(horizon / width)) + 1, day) for horizon in horizons]
    return _yesterday_features(view, day, hour, ahead) + _past_days_features(view, day, hour, ahead)


def _yesterday_features(view: BucketStatistics, day: int, hour: int, ahead: Sequence[int]) -> list[Floats]:
    """Return the load features around the same time yesterday, as columns (n,).

    Args:
        view: statistics of the buckets before each of the n given buckets.
        day: number of buckets per day.
        hour: number of buckets per hour.
        ahead: number of buckets for each horizon.
    """
    columns = [view.load(-day, -day)]
    for hours in SPANS:
        span = hours * hour
        columns += [view.load(-day - span + 1, -day), view.load(-day, min(-day + span - 1, -1))]
    for count in ahead:
        columns += [view.max_index(-day, -day + count - 1), view.high(-day, -day + count - 1)]
    return columns


def _past_days_features(view: BucketStatistics, day: int, hour: int, ahead: Sequence[int]) -> list[Floats]:
    """Return the load features of the last SEASONAL_DAYS days, as columns (n,).

    Args:
        view: statistics of the buckets before each of the n given buckets.
        day: number of buckets per day.
        hour: number of buckets per hour.
        ahead: number of buckets for each horizon.
    """
    starts = [-days * day for days in range(1, SEASONAL_DAYS + 1)]

    def weighted(statistic: Callable[[int], Floats]) -> Floats:
        """Return the mean (n,) of `statistic(start)` over `starts`, with weights that decay by DECAY per day."""
        return _weighted_mean([statistic(start) for start in starts], DECAY)

    now = [view.load(start, start) for start in starts]
    usual = _weighted_mean(now, DECAY)
    departure = view.load(-hour, -1) - weighted(lambda start: view.load(start - hour, start - 1))
    columns = [
        usual,
        weighted(lambda start: view.load(start - hour // 2, start + (hour - 1) // 2)),
        departure,
        _standard_deviation(now),
    ]
    for count in ahead:
        maxima = [view.max_index(start, start + count - 1) for start in starts]
        highs = [view.high(start, start + count - 1) for start in starts]
        peak = _weighted_mean([view.max_mean(start, start + count - 1) for start in starts], DECAY)
        mean_maximum = _weighted_mean(maxima, DECAY)
        columns += [
            mean_maximum,
            _largest(maxima),
            _weighted_mean(highs, 1.0),
            _weighted_mean(highs, DECAY),
            peak - usual,
            peak + departure,
            mean_maximum + departure,
        ]
    return columns


class _BucketWindows:
    """Statistics of the buckets at the offsets `first` to `last` (inclusive) from each of n given buckets."""

    def __init__(self, buckets: TimeBuckets, numbers: Integers, scale: float) -> None:
        self._positions = numbers - buckets.oldest
        self._size = buckets.newest - buckets.oldest + 1
        self._max_index = buckets.max_index
        self._high = buckets.high
        zero = np.zeros((1, buckets.sums.shape[1]), np.int64)
        self._sums = np.concatenate((zero, np.cumsum(buckets.sums, axis=0)))
        self._counts = np.concatenate((zero, np.cumsum(buckets.counts, axis=0, dtype=np.int64)))
        self._scale = scale
        count = buckets.counts[:, -1]
        self._mean = np.full(self._size, np.nan)
        np.divide(buckets.sums[:, -1], count, out=self._mean, where=count > 0)
        self._mean /= scale

    def means(self, first: int, last: int) -> Floats:
        """Return the mean of each column (n, columns), NaN if unknown."""
        start, end = self._limits(first, last)
        count = self._counts[end] - self._counts[start]
        mean = np.full(count.shape, np.nan)
        np.divide(self._sums[end] - self._sums[start], count, out=mean, where=count > 0)
        return np.asarray(mean / self._scale)

    def load(self, first: int, last: int) -> Floats:
        """Return the mean load index (n,), NaN if unknown."""
        return self.means(first, last)[:, -1]

    def max_index(self, first: int, last: int) -> Floats:
        """Return the largest load index of any sample (n,), NaN if unknown."""
        return self._maximum(self._max_index, first, last)

    def max_mean(self, first: int, last: int) -> Floats:
        """Return the largest bucket mean of the load index (n,), NaN if unknown."""
        return self._maximum(self._mean, first, last)

    def high(self, first: int, last: int) -> Floats:
        """Return 1 if load was high in any bucket of the window, 0 if not (n,); NaN if no load index is known."""
        start, end = self._limits(first, last)
        unknown = self._counts[end, -1] == self._counts[start, -1]
        high = np.zeros(len(self._positions))
        for offset in range(first, last + 1):
            position = self._positions + offset
            inside = (position >= 0) & (position < self._size)
            high[inside] = np.maximum(high[inside], self._high[position[inside]])
        high[unknown] = np.nan
        return high

    def _limits(self, first: int, last: int) -> tuple[Integers, Integers]:
        limit = self._size
        return np.clip(self._positions + first, 0, limit), np.clip(self._positions + last + 1, 0, limit)

    def _maximum(self, values: Floats, first: int, last: int) -> Floats:
        maximum = np.full(len(self._positions), np.nan)
        for offset in range(first, last + 1):
            position = self._positions + offset
            inside = (position >= 0) & (position < self._size)
            maximum[inside] = np.fmax(maximum[inside], values[position[inside]])
        return maximum


# The functions below sum day by day: the rounding of a sum must not depend on the number of rows.


def _weighted_mean(values: Sequence[Floats], decay: float) -> Floats:
    """Return the mean (n,) over the arrays, ignoring NaN; each array weighs `decay` times the array before it."""
    total = np.zeros_like(values[0])
    weights = np.zeros_like(values[0])
    weight = 1.0
    for value in values:
        known = ~np.isnan(value)
        total[known] += weight * value[known]
        weights[known] += weight
        weight *= decay
    return np.divide(total, weights, out=np.full_like(total, np.nan), where=weights > 0)


def _standard_deviation(values: Sequence[Floats]) -> Floats:
    """Return the standard deviation (n,) over the arrays, ignoring NaN."""
    mean = _weighted_mean(values, 1.0)
    return np.sqrt(_weighted_mean([np.square(value - mean) for value in values], 1.0))


def _largest(values: Sequence[Floats]) -> Floats:
    """Return the maximum (n,) over the arrays, ignoring NaN."""
    largest = values[0]
    for value in values[1:]:
        largest = np.fmax(largest, value)
    return largest
