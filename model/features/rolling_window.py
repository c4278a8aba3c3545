"""The past as features need it: running sums that only ever grow at the end.

All sums are of integers (values on a fixed-point grid), so a window's sum is the same number whether its history
began a week or an hour ago. That is what makes a live feature equal its training row bit for bit, at the price
of a few additions a sample.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.features.labels import GAP_FACTOR, Rules
from model.features.time_buckets import TimeBuckets

RATIO_GRID = 2.0**20
"""Steps per unit of a metric: finer than any figure the kernel gives."""

INDEX_LIMIT = 8.0
"""Load index beyond this says nothing more, and its square must fit a 64-bit sum."""

CHUNK_ROWS = 2048
"""Rows taken in at once: what is only needed meanwhile must not be a multiple of what is kept."""


class RollingWindow:
    """Samples in time order with their running sums.

    `extend` takes one row (live) or all of them (training) through the same lines.
    """

    def __init__(
        self,
        columns: Sequence[str],
        rules: Rules,
        step: float,
        *,
        inputs: Sequence[str] = (),
        logarithmic: Sequence[str] = (),
        keep: float = np.inf,
        bucket_width: float | None = None,
    ) -> None:
        """An empty history.

        Args:
            columns: the metrics of the rows that will be given.
            rules: what high load is.
            step: seconds between samples.
            inputs: the metrics that are summed.
            logarithmic: those of them that enter as log(1 + x).
            keep: seconds of the past that are kept at least, counted from the first of the rows that come next.
            bucket_width: seconds of a bucket of `bins`; None keeps none.
        """
        self.columns, self.rules, self.step, self.keep = tuple(columns), rules, step, keep
        self._picked = np.array([self.columns.index(name) for name in inputs], dtype=np.intp)
        self._log = np.flatnonzero([name in logarithmic for name in inputs])
        k = len(inputs)
        self.bins = None if bucket_width is None else TimeBuckets(k + 1, bucket_width)
        self._forgotten = self._size = 0
        self._times = np.empty(0)
        # by itself, in one piece: a live window looks through hours of it at every sample
        self._index = np.empty(0)
        # state, last high, last onset, onset before it, start of the run
        self._floats = np.empty((0, 5))
        # sums: each input, load index, its square, instants high, watched milliseconds; counts: each input, index
        self._sums: Integers = np.empty((0, k + 4), np.int64)
        self._counts: Integers = np.empty((0, k + 1), np.int32)
        self._positions: Integers = np.empty(0, np.int64)

    def __len__(self) -> int:
        return self._size

    @property
    def forgotten(self) -> int:
        """How many rows came before the first that is still here."""
        return self._forgotten

    @property
    def times(self) -> Floats:
        """(rows,) seconds since the epoch."""
        return self._times[: self._size]

    @property
    def load_index(self) -> Floats:
        """(rows,) how near the rules are to holding."""
        return self._index[: self._size]

    @property
    def state(self) -> Floats:
        """(rows,) 1 where high load has lasted, 0 where not, NaN unknown."""
        return self._floats[: self._size, 0]

    @property
    def last_high(self) -> Floats:
        """(rows,) seconds since the epoch of the last high state, -inf before the first."""
        return self._floats[: self._size, 1]

    @property
    def last_onset(self) -> Floats:
        """(rows,) when the last high stretch began."""
        return self._floats[: self._size, 2]

    @property
    def previous_onset(self) -> Floats:
        """(rows,) when the stretch before that one began."""
        return self._floats[: self._size, 3]

    @property
    def sums(self) -> Integers:
        """(rows, inputs + 4) running sums: inputs, index, index squared, instants high, watched ms."""
        return self._sums[: self._size]

    @property
    def counts(self) -> Integers:
        """(rows, inputs + 1) running counts of known values: inputs, index."""
        return self._counts[: self._size]

    @property
    def positions(self) -> Integers:
        """(rows,) of the bins that rows fall into; only with `bins`."""
        return self._positions[: self._size]

    def extend(self, times: Floats, values: Floats) -> None:
        """Appends rows.

        Args:
            times: (rows,) seconds, increasing, after all that is here.
            values: (rows, columns), NaN where missing.

        Raises:
            ValueError: the times do not increase.
        """
        if len(times) == 0:
            return
        before = self._times[self._size - 1] if self._size else -np.inf
        if not (times[0] > before and (times[1:] > times[:-1]).all()):
            raise ValueError("samples must come in order of time")
        self._reserve(len(times), float(times[0]))
        if self.bins is not None and np.isfinite(self.keep):
            self.bins.forget()
        for start in range(0, len(times), CHUNK_ROWS):
            self._extend(times[start : start + CHUNK_ROWS], values[start : start + CHUNK_ROWS])

    def _extend(self, times: Floats, values: Floats) -> None:
        here = slice(self._size, self._size + len(times))
        elapsed = np.empty(len(times))
        elapsed[0] = times[0] - self._times[here.start - 1] if here.start else np.inf
        np.subtract(times[1:], times[:-1], out=elapsed[1:])
        after_gap = elapsed > GAP_FACTOR * self.step
        index = np.minimum(self.rules.load_index(self.columns, values), INDEX_LIMIT)
        instant = index >= 1
        self._times[here] = times
        self._index[here] = index
        watched = np.where(after_gap, self.step, elapsed)
        terms, known = self._extend_sums(here, values, index, instant, watched)
        self._extend_state(here, times, after_gap, index, instant)
        if self.bins is not None:
            state = self._floats[here, 0]
            self._positions[here] = self.bins.extend(times, terms[:, : known.shape[1]], known, index, state)
        self._size = here.stop

    def _extend_sums(
        self, here: slice, values: Floats, index: Floats, instant: Bools, watched: Floats
    ) -> tuple[Integers, Bools]:
        """Returns what was added, and which of it is known."""
        k = len(self._picked)
        x = np.empty((len(values), k + 1))
        x[:, :k] = values[:, self._picked]
        x[:, k] = index
        if len(self._log):
            # as one block of contiguous numbers, so that one row and many take the same path through log1p
            x[:, self._log] = np.log1p(np.maximum(x[:, self._log], 0))
        known = ~np.isnan(x)
        terms = np.empty((len(values), k + 4), np.int64)
        terms[:, : k + 1] = np.where(known, np.rint(x * RATIO_GRID), 0)
        terms[:, k + 1] = np.square(terms[:, k])
        terms[:, k + 2] = instant
        terms[:, k + 3] = np.rint(watched * 1000)
        for running, new in ((self._sums, terms), (self._counts, known)):
            np.cumsum(new, axis=0, out=running[here])
            if here.start:
                running[here] += running[here.start - 1]
        return terms, known

    def _extend_state(self, here: slice, times: Floats, after_gap: Bools, index: Floats, instant: Bools) -> None:
        """The state machine of high load, with what it remembers taken from the row before."""
        start = here.start
        before = self._floats[start - 1] if start else np.array([np.nan, -np.inf, -np.inf, -np.inf, -np.inf])
        if not instant.any():
            # most of the time: what is remembered stays as it is
            self._floats[here] = before
            self._floats[here, 0] = np.where(np.isnan(index), np.nan, 0.0)
            return
        state_before, high, onset, previous, run = before
        high_before = bool(start) and self._index[start - 1] >= 1
        begins = instant & (~np.concatenate(((high_before,), instant[:-1])) | after_gap)
        runs = _running_maximum(run, np.where(begins, times, -np.inf))[1:]
        state = np.where(instant, times - runs + self.step >= self.rules.sustained, 0.0)
        state[np.isnan(index)] = np.nan
        onsets = (state == 1) & (np.concatenate(((state_before,), state[:-1])) != 1)
        lasts = _running_maximum(onset, np.where(onsets, times, -np.inf))
        befores = _running_maximum(previous, np.where(onsets, lasts[:-1], -np.inf))
        highs = _running_maximum(high, np.where(state == 1, times, -np.inf))
        self._floats[here] = np.stack([state, highs[1:], lasts[1:], befores[1:], runs], axis=1)

    def _reserve(self, n: int, now: float) -> None:
        """Room for n rows: first by forgetting what is older than `keep`, then by growing."""
        if self._size + n <= len(self._times):
            return
        first = int(np.searchsorted(self.times, now - self.keep, side="right"))
        # A row before the oldest kept one stays: windows are differences to the row before their first.
        first = max(0, first - 1)
        kept = self._size - first
        # A live history makes room for a quarter more, so that it moves its rows only now and then.
        capacity = kept + n + (max(256, kept // 4) if np.isfinite(self.keep) else 0)
        for name in ("_times", "_index", "_floats", "_sums", "_counts", "_positions"):
            old = getattr(self, name)
            new = np.empty((capacity, *old.shape[1:]), old.dtype)
            new[:kept] = old[first : self._size]
            setattr(self, name, new)
        self._forgotten += first
        self._size = kept


def _running_maximum(before: float, values: Floats) -> Floats:
    """(rows + 1,) the largest so far, beginning with what was before."""
    return np.maximum.accumulate(np.concatenate(((before,), values)))
