"""What the load did at this time on other days.

All of it is known before the bin of the moment begins, so within a bin it stays the same: live it is worked out once
in some minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from model.array_types import Floats, Integers
from model.features.time_buckets import DAYS, TimeBuckets

FADE = 0.7
"""How much less a day counts than the one after it."""

SPANS = (1, 4)
"""Hours over which yesterday's load is averaged, before and after this time of the day."""


def seasonal_names(metrics: Sequence[str], horizons: Sequence[float]) -> tuple[str, ...]:
    """The features of `seasonal`, in its order."""
    ahead = [f"{horizon:g}s" for horizon in horizons]
    day = [f"{name}:departure:24h" for name in metrics]
    yesterday = ["yesterday:now"]
    yesterday += [f"yesterday:{what}:{hours}h" for hours in SPANS for what in ("before", "after")]
    yesterday += [f"yesterday:{what}:{span}" for span in ahead for what in ("max", "high")]
    days = ["past_days:now", "past_days:around", "past_days:departure", "past_days:deviation"]
    shares = ("max", "top", "high", "high_lately", "rise", "expected", "expected_max")
    days += [f"past_days:{what}:{span}" for span in ahead for what in shares]
    return (*day, *yesterday, *days)


def seasonal(bins: TimeBuckets, at: Integers, horizons: Sequence[float], grid: float) -> Floats:
    """The features of moments that lie in some bins; in place of a metric's departure, what it departs from.

    Args:
        bins: the past.
        at: (n,) positions.
        horizons: seconds.
        grid: steps per unit of the sums.

    Returns:
        (n, features) float64 in the order of `seasonal_names`, NaN where nothing is known.
    """
    look = _Look(bins, at, grid)
    day, hour = bins.day, bins.hour
    metrics = look.means(-day, -1)[:, :-1]
    # beyond a day ahead yesterday is the future too
    ahead = [min(int(np.ceil(horizon / bins.width)) + 1, day) for horizon in horizons]

    def load(first: int, last: int) -> Floats:
        return look.means(first, last)[:, -1]

    yesterday = [load(-day, -day)]
    for hours in SPANS:
        span = hours * hour
        yesterday += [load(-day - span + 1, -day), load(-day, min(-day + span - 1, -1))]
    for k in ahead:
        yesterday += [look.largest(-day, -day + k - 1), look.high(-day, -day + k - 1)]

    def faded(value: Callable[[int], Floats]) -> Floats:
        """Over the days, the late ones counting more."""
        return _weighted([value(-d * day) for d in range(1, DAYS + 1)], FADE)

    now = [load(-d * day, -d * day) for d in range(1, DAYS + 1)]
    usual = _weighted(now, FADE)
    departure = load(-hour, -1) - faded(lambda then: load(then - hour, then - 1))
    days = [
        usual,
        faded(lambda then: load(then - hour // 2, then + (hour - 1) // 2)),
        departure,
        _deviation(now),
    ]
    for k in ahead:
        tops = [look.largest(-d * day, -d * day + k - 1) for d in range(1, DAYS + 1)]
        highs = [look.high(-d * day, -d * day + k - 1) for d in range(1, DAYS + 1)]
        peak = faded(lambda then, k=k: look.largest_mean(then, then + k - 1))  # type: ignore[misc]
        top = _weighted(tops, FADE)
        days += [
            top,
            _largest(tops),
            _weighted(highs, 1.0),
            _weighted(highs, FADE),
            peak - usual,
            peak + departure,
            top + departure,
        ]
    return np.concatenate((metrics, np.stack(yesterday + days, axis=1)), axis=1)


class _Look:
    """Windows of bins around some positions; `first` and `last` are relative to each and both within."""

    def __init__(self, bins: TimeBuckets, at: Integers, grid: float) -> None:
        self._at = at - bins.oldest
        self._size = bins.newest - bins.oldest + 1
        self._largest, self._high = bins.largest, bins.high
        zero = np.zeros((1, bins.sums.shape[1]), np.int64)
        self._sums = np.concatenate((zero, np.cumsum(bins.sums, axis=0)))
        self._counts = np.concatenate((zero, np.cumsum(bins.counts, axis=0, dtype=np.int64)))
        self._grid = grid
        count = bins.counts[:, -1]
        self._mean = np.full(self._size, np.nan)
        np.divide(bins.sums[:, -1], count, out=self._mean, where=count > 0)
        self._mean /= grid

    def means(self, first: int, last: int) -> Floats:
        """(n, columns)."""
        start, end = self._limits(first, last)
        count = self._counts[end] - self._counts[start]
        mean = np.full(count.shape, np.nan)
        np.divide(self._sums[end] - self._sums[start], count, out=mean, where=count > 0)
        return np.asarray(mean / self._grid)

    def largest(self, first: int, last: int) -> Floats:
        """(n,) of the load index."""
        return self._most(self._largest, first, last)

    def largest_mean(self, first: int, last: int) -> Floats:
        """(n,) of the bins' mean load indices."""
        return self._most(self._mean, first, last)

    def high(self, first: int, last: int) -> Floats:
        """(n,) 1 where load was high in any bin, 0 in none, NaN where no load is known."""
        start, end = self._limits(first, last)
        unknown = self._counts[end, -1] == self._counts[start, -1]
        found = np.zeros(len(self._at))
        for k in range(first, last + 1):
            place = self._at + k
            inside = (place >= 0) & (place < self._size)
            found[inside] = np.maximum(found[inside], self._high[place[inside]])
        found[unknown] = np.nan
        return found

    def _limits(self, first: int, last: int) -> tuple[Integers, Integers]:
        limit = self._size
        return np.clip(self._at + first, 0, limit), np.clip(self._at + last + 1, 0, limit)

    def _most(self, values: Floats, first: int, last: int) -> Floats:
        found = np.full(len(self._at), np.nan)
        for k in range(first, last + 1):
            place = self._at + k
            inside = (place >= 0) & (place < self._size)
            found[inside] = np.fmax(found[inside], values[place[inside]])
        return found


# One day after the other, never all at once: a sum must not depend on how many moments are asked for together.


def _weighted(values: Sequence[Floats], fade: float) -> Floats:
    """The mean of what is known, each value counting `fade` times the one before it."""
    total, weight, w = np.zeros_like(values[0]), np.zeros_like(values[0]), 1.0
    for value in values:
        known = ~np.isnan(value)
        total[known] += w * value[known]
        weight[known] += w
        w *= fade
    return np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)


def _deviation(values: Sequence[Floats]) -> Floats:
    mean = _weighted(values, 1.0)
    return np.sqrt(_weighted([np.square(value - mean) for value in values], 1.0))


def _largest(values: Sequence[Floats]) -> Floats:
    found = values[0]
    for value in values[1:]:
        found = np.fmax(found, value)
    return found
