"""Bucket ring: time buckets of the load index of many hosts, for the seasonal features."""

from __future__ import annotations

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.features.rolling_window import FIXED_POINT
from model.features.time_buckets import SEASONAL_DAYS, TimeBuckets
from model.units import DAY, HOUR


class BucketRing:
    """Time buckets of the last SEASONAL_DAYS days and an hour, the newest of which is open.

    The statistics have the names and results of `model.features.seasonal.BucketStatistics`, for all hosts at the
    newest bucket.
    """

    def __init__(self, hosts: int, width: float, step: float, load_limit: float) -> None:
        """Create an empty ring.

        Args:
            hosts: number of hosts.
            width: width of a bucket in seconds.
            step: seconds between samples.
            load_limit: upper limit of the load index.
        """
        self.width = width
        self._buckets = round((SEASONAL_DAYS * DAY + HOUR) / width) + 2
        samples = width / step + 1
        sum_type = np.int32 if samples * load_limit * FIXED_POINT < 2**31 else np.int64
        count_type = np.uint8 if samples < 2**8 else np.int32
        shape = (self._buckets, hosts)
        self._sums: Integers = np.full(shape, 0, sum_type)
        self._counts: Integers = np.full(shape, 0, count_type)
        self._max_index = np.full(shape, np.nan)
        self._high: Bools = np.full(shape, False)
        self.newest = -1

    def clear(self, hosts: Integers) -> None:
        """Remove the samples of hosts, by their positions (n,)."""
        self._sums[:, hosts] = 0
        self._counts[:, hosts] = 0
        self._max_index[:, hosts] = np.nan
        self._high[:, hosts] = False

    def open_bucket(self, number: int) -> None:
        """Make a bucket, by its number since the epoch, the newest one; skipped buckets are empty."""
        first = max(self.newest + 1, number - self._buckets + 1)
        places = np.arange(first, number + 1) % self._buckets
        self._sums[places] = 0
        self._counts[places] = 0
        self._max_index[places] = np.nan
        self._high[places] = False
        self.newest = number

    def append(self, grid: Integers, index: Floats, state: Floats, present: Bools) -> None:
        """Add samples to the newest bucket.

        Args:
            grid: (hosts,) load index on the fixed-point grid, 0 where it is unknown.
            index: (hosts,) load index, NaN if unknown.
            state: (hosts,) 1 during high load, 0 otherwise, NaN if unknown.
            present: (hosts,) True for hosts with a sample.
        """
        place = self.newest % self._buckets
        known = present & ~np.isnan(index)
        self._sums[place] += grid.astype(self._sums.dtype)
        self._counts[place] += known
        self._max_index[place] = np.fmax(self._max_index[place], np.where(known, index, np.nan))
        self._high[place] |= present & (state == 1)

    def take_over(self, host: int, buckets: TimeBuckets, newest: int) -> None:
        """Take over the buckets of a host.

        Args:
            host: position of the host.
            buckets: time buckets of the host without metrics.
            newest: number since the epoch of their newest bucket, at most the newest one of the ring.
        """
        oldest = max(self.newest - self._buckets, newest - len(buckets.max_index)) + 1
        count = newest - oldest + 1
        if count <= 0:
            return
        places = np.arange(oldest, newest + 1) % self._buckets
        self._sums[places, host] = buckets.sums[-count:, 0]
        self._counts[places, host] = buckets.counts[-count:, 0]
        self._max_index[places, host] = buckets.max_index[-count:]
        self._high[places, host] = buckets.high[-count:]

    def load(self, first: int, last: int) -> Floats:
        """Return the mean load index (hosts,) of buckets, NaN if unknown."""
        places = self._places(first, last)
        total = self._sums[places].sum(axis=0, dtype=np.int64)
        count = self._counts[places].sum(axis=0, dtype=np.int64)
        return _ratio(total, count) / FIXED_POINT

    def max_index(self, first: int, last: int) -> Floats:
        """Return the largest load index of any sample (hosts,), NaN if unknown."""
        return np.asarray(np.fmax.reduce(self._max_index[self._places(first, last)], axis=0))

    def max_mean(self, first: int, last: int) -> Floats:
        """Return the largest bucket mean of the load index (hosts,), NaN if unknown."""
        places = self._places(first, last)
        means = _ratio(self._sums[places], self._counts[places]) / FIXED_POINT
        return np.asarray(np.fmax.reduce(means, axis=0))

    def high(self, first: int, last: int) -> Floats:
        """Return 1 if load was high in any bucket, 0 if not (hosts,); NaN if no load index is known."""
        places = self._places(first, last)
        return np.where(self._counts[places].any(axis=0), self._high[places].any(axis=0), np.nan)

    def _places(self, first: int, last: int) -> Integers:
        """Return the places of the buckets at the offsets `first` to `last`, both below 0, from the newest one."""
        return np.asarray((self.newest + np.arange(first, last + 1)) % self._buckets)


def _ratio(total: Integers, count: Integers) -> Floats:
    """Return total / count, NaN where the count is 0."""
    ratio = np.full(count.shape, np.nan)
    np.divide(total, count, out=ratio, where=count > 0)
    return ratio
