"""Rolling window: samples in time order with running sums, extended at the end.

All sums are exact, because they add integers (values on a fixed-point grid). The sum over a window therefore does not
depend on the start of the running sums, and live features are bit-identical to training features.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.features import load_states
from model.features.labels import Rules
from model.features.spacing import RECENT_INTERVALS, follows_gap, sample_spacing
from model.features.time_buckets import TimeBuckets

FIXED_POINT = 2.0**20
"""Grid steps per unit of a metric: about six decimals."""

MAX_LOAD_INDEX = 8.0
"""Largest upper limit of the load index; sums of its square must fit into 64 bits."""

CHUNK_ROWS = 2048
"""Number of rows appended at once; it bounds the memory of intermediate arrays."""


class RollingWindow:
    """Samples of one host in time order, with high-load state and running sums.

    Appending rows one by one (live) or many at once (training) gives bit-identical sums and states. The arrays of the
    properties are valid until the next `extend`. `dropped_rows` is the number of oldest rows dropped so far.
    `load_limit` is the upper limit of the load index; it is set before the first sample.
    """

    def __init__(
        self,
        columns: Sequence[str],
        rules: Rules,
        step: float,
        *,
        inputs: Sequence[str] = (),
        logarithmic: Sequence[str] = (),
        keep_seconds: float = np.inf,
        bucket_width: float | None = None,
    ) -> None:
        """Create an empty window.

        Args:
            columns: metrics of the rows, in order.
            rules: high-load rules.
            step: seconds that the first sample covers; later samples cover the time since the sample before, or the
                spacing after a gap.
            inputs: metrics with running sums.
            logarithmic: inputs that enter as log(1 + x).
            keep_seconds: rows at most this many seconds older than the newest row are never dropped.
            bucket_width: width of the time buckets in seconds; None to keep none.
        """
        self.columns = tuple(columns)
        self.rules = rules
        self.step = step
        self.keep_seconds = keep_seconds
        self.load_limit = MAX_LOAD_INDEX
        self._input_columns = np.array([self.columns.index(name) for name in inputs], dtype=np.intp)
        self._logarithmic = np.flatnonzero([name in logarithmic for name in inputs])
        k = len(inputs)
        self.buckets = None if bucket_width is None else TimeBuckets(k + 1, bucket_width)
        self.dropped_rows = 0
        self._size = 0
        self._times = np.empty(0)
        self._index = np.empty(0)  # contiguous, not a column of _states
        self._states = np.empty((0, len(load_states.START)))
        self._sums: Integers = np.empty((0, k + 5), np.int64)
        self._counts: Integers = np.empty((0, k + 1), np.int32)
        self._bucket_numbers: Integers = np.empty(0, np.int64)

    def __len__(self) -> int:
        return self._size

    @property
    def times(self) -> Floats:
        """(rows,) seconds since the epoch."""
        return self._times[: self._size]

    @property
    def load_index(self) -> Floats:
        """(rows,) load index (`Rules.load_index`), at most `load_limit`, NaN if unknown."""
        return self._index[: self._size]

    @property
    def state(self) -> Floats:
        """(rows,) 1 during high load, 0 otherwise, NaN if unknown."""
        return self._states[: self._size, load_states.STATE]

    @property
    def last_high(self) -> Floats:
        """(rows,) time of the last sample during high load (seconds since the epoch), -inf if there is none."""
        return self._states[: self._size, load_states.LAST_HIGH]

    @property
    def period_start(self) -> Floats:
        """(rows,) start of the high-load period in progress (seconds since the epoch), -inf if there is none.

        A period starts at an onset. It ends at a gap, or after `sustained` seconds in which no rule held: a shorter
        dip or a single missing sample does not end it.
        """
        return self._states[: self._size, load_states.PERIOD_START]

    def high_with_dips(self, rows: int) -> Bools:
        """Return a mask (rows,) of the newest rows: True in a high-load period, in high load or short dips of it.

        A dip is short until SHORT_DIP * `sustained` seconds after a sample at which a rule held.
        """
        newest = slice(self._size - rows, self._size)
        since_exceeded = self._times[newest] - self._states[newest, load_states.LAST_EXCEEDED]
        is_short = since_exceeded <= load_states.SHORT_DIP * self.rules.sustained
        return np.asarray(is_short & (self.period_start[newest] > -np.inf))

    @property
    def states(self) -> Floats:
        """(rows, columns) load states in the columns of `model.features.load_states`."""
        return self._states[: self._size]

    @property
    def sums(self) -> Integers:
        """(rows, inputs + 5) cumulative sums.

        Columns: each input, load index, square of the load index, number of samples with a load index of at least 1,
        number of those outside high load, and covered milliseconds. Inputs and load index are in grid steps.
        """
        return self._sums[: self._size]

    @property
    def counts(self) -> Integers:
        """(rows, inputs + 1) cumulative counts of known values: one column per input, then the load index."""
        return self._counts[: self._size]

    @property
    def bucket_numbers(self) -> Integers:
        """(rows,) number of the time bucket of each row, see `TimeBuckets`."""
        return self._bucket_numbers[: self._size]

    def extend(self, times: Floats, values: Floats) -> None:
        """Append samples; update the high-load states, running sums and time buckets.

        Args:
            times: (rows,) seconds, increasing and later than all rows of the window.
            values: (rows, columns), NaN where missing.

        Raises:
            ValueError: the times do not increase.
        """
        if len(times) == 0:
            return
        before = self._times[self._size - 1] if self._size else -np.inf
        if not (times[0] > before and (times[1:] > times[:-1]).all()):
            raise ValueError("samples must be in time order")
        self._reserve(len(times), float(times[0]))
        if self.buckets is not None and np.isfinite(self.keep_seconds):
            self.buckets.drop_old()
        for start in range(0, len(times), CHUNK_ROWS):
            self._extend(times[start : start + CHUNK_ROWS], values[start : start + CHUNK_ROWS])

    def _extend(self, times: Floats, values: Floats) -> None:
        """Append at most CHUNK_ROWS rows; `_reserve` must have made room for them."""
        rows = slice(self._size, self._size + len(times))
        elapsed = np.empty(len(times))
        elapsed[0] = times[0] - self._times[rows.start - 1] if rows.start else np.inf
        np.subtract(times[1:], times[:-1], out=elapsed[1:])
        # The spacing depends on the RECENT_INTERVALS rows before.
        first = max(0, rows.start - RECENT_INTERVALS)
        spacing = sample_spacing(np.concatenate((self._times[first : rows.start], times)), rows.start - first)
        after_gap = follows_gap(elapsed, spacing)
        index = np.minimum(self.rules.load_index(self.columns, values), self.load_limit)
        instant = index >= 1
        self._times[rows] = times
        self._index[rows] = index
        covered = np.where(after_gap, spacing, elapsed)
        if not rows.start:
            covered[0] = self.step
        before = self._states[rows.start - 1] if rows.start else load_states.START
        exceeded_before = bool(rows.start) and bool(self._index[rows.start - 1] >= 1)
        samples = times, np.where(after_gap, np.inf, elapsed), spacing, index
        self._states[rows] = load_states.extend_states(before, exceeded_before, samples, self.rules.sustained)
        state = self._states[rows, load_states.STATE]
        terms, known = self._extend_sums(rows, values, (index, instant, instant & (state != 1)), covered)
        if self.buckets is not None:
            summed = terms[:, : known.shape[1]]
            self._bucket_numbers[rows] = self.buckets.extend(times, summed, known, index, state)
        self._size = rows.stop

    def _extend_sums(
        self, rows: slice, values: Floats, load: tuple[Floats, Bools, Bools], covered: Floats
    ) -> tuple[Integers, Bools]:
        """Write the cumulative sums and counts of new rows.

        `load` is the load index, True where a rule holds, and True where one holds outside high load, (rows,) each.
        `covered` (rows,) is in seconds. Return the summed terms (rows, inputs + 5) and a mask of known values.
        """
        index, instant, brief = load
        k = len(self._input_columns)
        x = np.empty((len(values), k + 1))
        x[:, :k] = values[:, self._input_columns]
        x[:, k] = index
        if len(self._logarithmic):
            # A contiguous block, so that one row and many rows take the same code path through log1p.
            x[:, self._logarithmic] = np.log1p(np.maximum(x[:, self._logarithmic], 0))
        known = ~np.isnan(x)
        terms = np.empty((len(values), k + 5), np.int64)
        terms[:, : k + 1] = np.where(known, np.rint(x * FIXED_POINT), 0)
        terms[:, k + 1] = np.square(terms[:, k])
        terms[:, k + 2] = instant
        terms[:, k + 3] = brief
        terms[:, k + 4] = np.rint(covered * 1000)
        for running, new in ((self._sums, terms), (self._counts, known)):
            if len(new) == 1 and rows.start:
                np.add(running[rows.start - 1], new[0], out=running[rows.start])
                continue
            np.cumsum(new, axis=0, out=running[rows])
            if rows.start:
                running[rows] += running[rows.start - 1]
        return terms, known

    def _reserve(self, n: int, now: float) -> None:
        """Make room for n rows: if necessary, drop rows not needed after `now` (seconds), and enlarge the arrays.

        A full window of constant length moves its rows within its arrays, whose spare rows occupy memory at once.
        """
        if self._size + n <= len(self._times):
            return
        oldest = int(np.searchsorted(self.times, now - self.keep_seconds, side="right"))
        # Keep RECENT_INTERVALS more rows: the spacing depends on them, and window sums on the row before the window.
        first = max(0, oldest - RECENT_INTERVALS)
        kept = self._size - first
        spare = max(256, kept // 16) if np.isfinite(self.keep_seconds) else 0
        is_suitable = spare // 2 <= len(self._times) - kept - n <= 2 * spare
        for name in ("_times", "_index", "_states", "_sums", "_counts", "_bucket_numbers"):
            old = getattr(self, name)
            new = old if spare and is_suitable else np.empty((kept + max(n, spare), *old.shape[1:]), old.dtype)
            new[:kept] = old[first : self._size]
            new[kept + n :] = 0
            setattr(self, name, new)
        self.dropped_rows += first
        self._size = kept
