"""Time buckets: sums of metrics and load index over intervals of 5 to 60 minutes.

Time buckets replace samples older than the longest window: a week of samples would need too much memory.
"""

from __future__ import annotations

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.units import DAY, HOUR

SEASONAL_DAYS = 7
"""Number of previous days that seasonal features use."""

SEASONAL_LOOKBACK = SEASONAL_DAYS * DAY + 4 * HOUR
"""Seconds of history that time buckets keep for seasonal features."""

WIDTHS = (300.0, 600.0, 900.0, 1800.0, HOUR)
"""Allowed bucket widths in seconds; each width divides a day."""


def bucket_width(step: float) -> float | None:
    """Return the bucket width (seconds) for samples `step` seconds apart, or None if `step` exceeds an hour."""
    return next((width for width in WIDTHS if width >= step), None)


ARRAYS = {"_sums": 0, "_counts": 0, "_max_index": np.nan, "_high": False}
"""Names of the array attributes of `TimeBuckets`, with their values in an empty bucket."""


class TimeBuckets:
    """Sequence of time buckets of `width` seconds, aligned to the epoch.

    The first bucket ever filled has the number 0; numbers do not change when old buckets are dropped. Gaps longer
    than the lookback are shortened to the lookback.

    Attributes:
        width: width of a bucket in seconds.
        day: number of buckets per day.
        hour: number of buckets per hour.
        cached_features: bucket number and `seasonal_features` of this bucket; None before the first result.
    """

    def __init__(self, columns: int, width: float) -> None:
        """Create an empty sequence of buckets.

        Args:
            columns: number of summed columns; the last column is the load index.
            width: width of a bucket in seconds.
        """
        self.width = width
        self.day = round(DAY / width)
        self.hour = round(HOUR / width)
        self.cached_features: tuple[int, Floats] | None = None
        self._lookback = round(SEASONAL_LOOKBACK / width) + 1
        self._dropped = 0
        self._size = 0
        self._newest_epoch_number = 0
        self._sums: Integers = np.zeros((0, columns), np.int64)
        self._counts: Integers = np.zeros((0, columns), np.int32)
        self._max_index: Floats = np.zeros(0)
        self._high: Bools = np.zeros(0, bool)

    @property
    def newest(self) -> int:
        """Number of the newest bucket."""
        return self._dropped + self._size - 1

    @property
    def oldest(self) -> int:
        """Number of the oldest bucket that is kept."""
        return self._dropped

    @property
    def sums(self) -> Integers:
        """(buckets, columns) sums on the fixed-point grid, from bucket `oldest` on."""
        return self._sums[: self._size]

    @property
    def counts(self) -> Integers:
        """(buckets, columns) numbers of known values that the sums include."""
        return self._counts[: self._size]

    @property
    def max_index(self) -> Floats:
        """(buckets,) maximum load index over the samples of each bucket, NaN if unknown."""
        return self._max_index[: self._size]

    @property
    def high(self) -> Bools:
        """(buckets,) True if load was high at any sample of the bucket."""
        return self._high[: self._size]

    def extend(self, times: Floats, terms: Integers, known: Bools, index: Floats, state: Floats) -> Integers:
        """Add samples and return the bucket number (rows,) of each sample.

        Args:
            times: (rows,) seconds, later than all previous rows.
            terms: (rows, columns) values on the fixed-point grid, 0 where missing.
            known: (rows, columns) mask, False where a value is missing.
            index: (rows,) load index, NaN if unknown.
            state: (rows,) 1 during high load, 0 otherwise, NaN if unknown.
        """
        if len(times) == 1 and self._size:
            return self._extend_single(float(times[0]), terms[0], known[0], float(index[0]), high=state[0] == 1)
        epoch_numbers = np.floor_divide(times, self.width).astype(np.int64)
        before = self._newest_epoch_number if self._size else int(epoch_numbers[0]) - 1
        # Longer gaps are shortened to the lookback, because no feature reads buckets on both sides of them.
        steps = np.minimum(np.diff(epoch_numbers, prepend=before), self._lookback)
        numbers = self.newest + np.cumsum(steps)
        self._newest_epoch_number = int(epoch_numbers[-1])
        self._resize(int(numbers[-1]) + 1 - self._dropped)
        starts = np.flatnonzero(np.append(True, steps[1:] > 0))
        filled = numbers[starts] - self._dropped
        self._sums[filled] += np.add.reduceat(terms, starts, axis=0)
        self._counts[filled] += np.add.reduceat(known, starts, axis=0, dtype=np.int32)
        self._max_index[filled] = np.fmax(self._max_index[filled], np.fmax.reduceat(index, starts))
        self._high[filled] |= np.logical_or.reduceat(state == 1, starts)
        return numbers

    def _extend_single(self, time: float, terms: Integers, known: Bools, index: float, *, high: bool) -> Integers:
        """Add one row without intermediate arrays; the daemon calls this at every sample."""
        epoch_number = int(time // self.width)
        number = self.newest + min(epoch_number - self._newest_epoch_number, self._lookback)
        self._newest_epoch_number = epoch_number
        position = number - self._dropped
        if position >= self._size:
            self._resize(position + 1)
        self._sums[position] += terms
        self._counts[position] += known
        if not index <= self._max_index[position]:
            self._max_index[position] = np.fmax(self._max_index[position], index)
        if high:
            self._high[position] = True
        return np.array([number])

    def drop_old(self) -> None:
        """Drop the buckets older than the lookback if they span more than an eighth of the lookback.

        The threshold makes drops rare, because each drop copies all other buckets.
        """
        drop = self._size - self._lookback
        if drop > self._lookback // 8:
            for name in ARRAYS:
                setattr(self, name, getattr(self, name)[drop : self._size].copy())
            self._dropped += drop
            self._size -= drop

    def _resize(self, size: int) -> None:
        """Set the number of buckets to `size`; new buckets are empty."""
        if size > len(self._max_index):
            growth = max(size - len(self._max_index), self._lookback // 8)
            for name, empty in ARRAYS.items():
                old = getattr(self, name)
                new = np.full((growth, *old.shape[1:]), empty, old.dtype)
                setattr(self, name, np.concatenate((old, new)))
        self._size = size
