"""Totals of the past over a few minutes each: what a look at other days is made of.

Days of samples would not fit into the daemon's memory, and no look at last week needs them one by one.
"""

from __future__ import annotations

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.units import DAY, HOUR

DAYS = 7
"""How many days are looked back."""

LOOKBACK = DAYS * DAY + 4 * HOUR
"""Seconds of the past that a feature may see in bins."""

WIDTHS = (300.0, 600.0, 900.0, 1800.0, HOUR)
"""Widths of a bin in seconds: a day is a whole number of any."""


def bucket_width(step: float) -> float | None:
    """The width in seconds that fits samples `step` seconds apart; None where they are too far apart for any."""
    return next((width for width in WIDTHS if width >= step), None)


COLUMNS = {"_sums": 0, "_counts": 0, "_largest": np.nan, "_high": False}
"""The arrays of `TimeBuckets`, and what an empty bin has in them."""


class TimeBuckets:
    """Totals of the load and of metrics by bins of `width` seconds, aligned to the epoch; without holes.

    A position counts bins from the first that was ever seen; it stays the same when earlier bins are forgotten.
    """

    def __init__(self, columns: int, width: float) -> None:
        """Empty.

        Args:
            columns: how many columns are summed; the last one is the load index.
            width: seconds.
        """
        self.width = width
        self.day, self.hour = round(DAY / width), round(HOUR / width)
        self._reach = round(LOOKBACK / width) + 1
        self._dropped = self._size = 0
        # features of the newest position, which hold until the next bin begins
        self.remembered: tuple[int, Floats] | None = None
        self._last = 0  # number of the newest bin since the epoch
        self._sums: Integers = np.zeros((0, columns), np.int64)
        self._counts: Integers = np.zeros((0, columns), np.int32)
        self._largest: Floats = np.zeros(0)
        self._high: Bools = np.zeros(0, bool)

    @property
    def newest(self) -> int:
        """The position of the newest bin."""
        return self._dropped + self._size - 1

    @property
    def oldest(self) -> int:
        """The position of the oldest bin that is kept."""
        return self._dropped

    @property
    def sums(self) -> Integers:
        """(bins, columns) sums on the fixed-point grid, from `oldest` on."""
        return self._sums[: self._size]

    @property
    def counts(self) -> Integers:
        """(bins, columns) how many values were known."""
        return self._counts[: self._size]

    @property
    def largest(self) -> Floats:
        """(bins,) the largest load index, NaN where none is known."""
        return self._largest[: self._size]

    @property
    def high(self) -> Bools:
        """(bins,) whether load was high in it."""
        return self._high[: self._size]

    def extend(self, times: Floats, terms: Integers, known: Bools, index: Floats, state: Floats) -> Integers:
        """Adds rows; returns the position (rows,) of the bin that each falls into.

        Args:
            times: (rows,) seconds, after all that is here.
            terms: (rows, columns) on the grid, 0 where missing.
            known: (rows, columns).
            index: (rows,) load index, NaN where unknown.
            state: (rows,) 1 where load is high.
        """
        if len(times) == 1 and self._size:
            return self._extend_by_one(float(times[0]), terms[0], known[0], float(index[0]), high=state[0] == 1)
        numbers = np.floor_divide(times, self.width).astype(np.int64)
        before = self._last if self._size else int(numbers[0]) - 1
        # nothing is looked up across a hole this long: it need not be longer
        moves = np.minimum(np.diff(numbers, prepend=before), self._reach)
        positions = self.newest + np.cumsum(moves)
        self._last = int(numbers[-1])
        self._reserve(int(positions[-1]) + 1 - self._dropped)
        starts = np.flatnonzero(np.append(True, moves[1:] > 0))
        here = positions[starts] - self._dropped
        self._sums[here] += np.add.reduceat(terms, starts, axis=0)
        self._counts[here] += np.add.reduceat(known, starts, axis=0, dtype=np.int32)
        self._largest[here] = np.fmax(self._largest[here], np.fmax.reduceat(index, starts))
        self._high[here] |= np.logical_or.reduceat(state == 1, starts)
        return positions

    def _extend_by_one(self, time: float, terms: Integers, known: Bools, index: float, *, high: bool) -> Integers:
        """As `extend` does, without arrays for what is one number: the live road comes by here at every sample."""
        number = int(time // self.width)
        position = self.newest + min(number - self._last, self._reach)
        self._last = number
        here = position - self._dropped
        if here >= self._size:
            self._reserve(here + 1)
        self._sums[here] += terms
        self._counts[here] += known
        if not index <= self._largest[here]:
            self._largest[here] = np.fmax(self._largest[here], index)
        if high:
            self._high[here] = True
        return np.array([position])

    def forget(self) -> None:
        """Drops what no feature of later rows can see, now and then."""
        drop = self._size - self._reach
        if drop > self._reach // 8:
            for name in COLUMNS:
                setattr(self, name, getattr(self, name)[drop : self._size].copy())
            self._dropped += drop
            self._size -= drop

    def _reserve(self, size: int) -> None:
        """Room for so many bins, all empty from the present end on."""
        if size > len(self._largest):
            more = max(size - len(self._largest), self._reach // 8)
            for name, empty in COLUMNS.items():
                old = getattr(self, name)
                new = np.full((more, *old.shape[1:]), empty, old.dtype)
                setattr(self, name, np.concatenate((old, new)))
        self._size = size
