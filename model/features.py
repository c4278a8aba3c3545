"""From the past of a moment to the numbers a network sees.

There is one function for the live moment and for the rows of a training. Windows are in seconds, reach only
back, and say "missing" rather than stretch over time that nobody watched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model.arrays import Floats, Integers
from model.history import RATIO_GRID, History
from model.labels import GAP_FACTOR, Rules

DAY = 86400.0
FEW = 8
"""Ranges that are looked at one by one."""

MIN_COVERAGE = 0.5
"""A window of which less than this share was watched is missing."""

CHUNK_ROWS = 4096
"""Rows made at once: the windows' sums of a month would not fit a small machine."""

LARGEST_RATIO = 64.0
"""A metric that ever exceeds this is a rate or a size and enters as its logarithm."""


def windows_for(horizons: Sequence[float], step: float) -> tuple[float, ...]:
    """The windows of the past that tell about these horizons, in seconds.

    One shorter than the nearest horizon, each horizon itself, and one four times the furthest; none so short
    that it could not hold three samples.
    """
    wanted = {min(horizons) / 5, *horizons, 4 * max(horizons)}
    return tuple(sorted({max(window, 3 * step) for window in wanted}))


@dataclass(frozen=True)
class FeatureSpec:
    """Which features, of which columns, over which windows; kept with the model.

    `columns` is what rows of history are made of, `inputs` those that vary enough to tell something.
    """

    columns: tuple[str, ...]
    inputs: tuple[str, ...]
    logarithmic: tuple[str, ...]
    rules: Rules
    windows: tuple[float, ...]
    step: float
    clock: bool

    @property
    def lookback(self) -> float:
        """Seconds of the past that a feature may see."""
        return self.windows[-1]

    @property
    def needed(self) -> float:
        """Seconds of samples from which the features of one moment come out as they would from all of them.

        A high state at the edge of the lookback began up to `sustained` earlier, hence the margin.
        """
        return self.lookback + self.rules.sustained + 2 * GAP_FACTOR * self.step

    @cached_property
    def names(self) -> tuple[str, ...]:
        """One name a feature, "<metric>:<what>[:<window>]", in the order of the design matrix."""
        spans = [f"{window:g}s" for window in self.windows]
        metrics = [f"{name}:last" for name in self.inputs]
        metrics += [f"{name}:mean:{span}" for span in spans for name in self.inputs]
        load = ["load_index:last", "load_index:state"]
        load += [
            f"load_index:{what}:{span}" for span in spans for what in ("mean", "deviation", "high", "max", "min")
        ]
        load += [f"load_index:{what}" for what in ("since_high", "since_onset", "period", "phase")]
        clock = ["clock:sine", "clock:cosine"] if self.clock else []
        return (*metrics, *load, *clock)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The metrics that the features are made of, each once."""
        return tuple(dict.fromkeys(name.partition(":")[0] for name in self.names))

    @cached_property
    def membership(self) -> Floats:
        """(features, groups), 1 where a feature is made of a metric."""
        metrics = np.array([name.partition(":")[0] for name in self.names])
        return np.asarray(metrics[:, None] == np.array(self.groups), dtype=np.float64)

    def history(self, *, live: bool = False) -> History:
        """An empty history for these features; a live one forgets what no feature can see any more."""
        return History(
            self.columns,
            self.rules,
            self.step,
            inputs=self.inputs,
            logarithmic=self.logarithmic,
            keep=self.needed if live else np.inf,
        )


def make_spec(
    columns: Sequence[str],
    values: Floats,
    times: Floats,
    rules: Rules,
    horizons: Sequence[float],
    step: float,
) -> FeatureSpec:
    """The features that this history can fill.

    Args:
        columns: names of the columns of `values`.
        values: (rows, columns), NaN where missing.
        times: (rows,) seconds.
        rules: resolved.
        horizons: seconds.
        step: seconds between samples.
    """
    inputs, logarithmic = [], []
    for i, name in enumerate(columns):
        known = values[~np.isnan(values[:, i]), i]
        if known.size < len(values) / 2 or known.min() == known.max():
            continue
        inputs.append(name)
        if known.max() > LARGEST_RATIO:
            logarithmic.append(name)
    # With less than three days the hour of the day is only another name for "later".
    clock = bool(times[-1] - times[0] >= 3 * DAY)
    windows = windows_for(horizons, step)
    return FeatureSpec(tuple(columns), tuple(inputs), tuple(logarithmic), rules, windows, step, clock)


def design(spec: FeatureSpec, history: History, rows: Integers) -> Floats:
    """The features of some moments.

    Args:
        spec: which features.
        history: made by `spec.history()`.
        rows: (n,) indices into it.

    Returns:
        (n, features) float32, NaN where missing.
    """
    windows = np.asarray(spec.windows)
    first = np.searchsorted(history.times, history.times[rows][:, None] - windows, side="right")
    pairs = first.ravel(), np.repeat(rows + 1, len(windows))
    largest = _extreme(np.fmax, history.load_index, *pairs).reshape(first.shape)
    smallest = _extreme(np.fmin, history.load_index, *pairs).reshape(first.shape)
    x = np.empty((len(rows), len(spec.names)), np.float32)
    for start in range(0, len(rows), CHUNK_ROWS):
        here = slice(start, start + CHUNK_ROWS)
        parts = [
            _last(history, rows[here]),
            *_windows(history, rows[here], first[here], windows, largest[here], smallest[here]),
            _recurrence(spec, history, rows[here]),
        ]
        if spec.clock:
            angle = (history.times[rows[here]] % DAY) * (2 * np.pi / DAY)
            parts.append(np.stack([np.sin(angle), np.cos(angle)], axis=1))
        np.concatenate(parts, axis=1, out=x[here], casting="same_kind")
    return x


def _last(history: History, rows: Integers) -> Floats:
    """The last value of each input (rows, inputs)."""
    sums, counts = (_difference(running, rows, rows) for running in (history.sums, history.counts))
    k = counts.shape[1] - 1
    return np.where(counts[:, :k] > 0, sums[:, :k] / RATIO_GRID, np.nan)


def _windows(
    history: History, rows: Integers, first: Integers, windows: Floats, largest: Floats, smallest: Floats
) -> tuple[Floats, Floats]:
    """The means of the inputs (rows, windows * inputs), and what is known of the load.

    The latter is its index and state now and, by window, mean, deviation, share of instants high, and extremes:
    (rows, 2 + windows * 5). `first`, `largest` and `smallest` are (rows, windows).
    """
    sums, counts = (_difference(running, first, rows) for running in (history.sums, history.counts))
    watched = sums[..., -1] >= MIN_COVERAGE * windows * 1000
    usable = np.where((counts > 0) & watched[..., None], counts, np.nan)
    k = counts.shape[-1] - 1
    means = sums[..., :k] / usable[..., :k] / RATIO_GRID
    n = usable[..., k]
    missing = np.where(np.isnan(n), np.nan, 0.0)
    mean = sums[..., k] / n
    deviation = np.sqrt(np.maximum(sums[..., k + 1] / n - mean * mean, 0)) / RATIO_GRID
    of_load = [mean / RATIO_GRID, deviation, sums[..., k + 2] / n, largest + missing, smallest + missing]
    now = np.stack([history.load_index[rows], history.state[rows]], axis=1)
    return means.reshape(len(rows), -1), np.hstack([now, np.stack(of_load, axis=-1).reshape(len(rows), -1)])


def _difference(running: Integers, first: Integers, rows: Integers) -> Integers:
    """The sums over first..row: (rows, sums), or (rows, windows, sums) for `first` (rows, windows)."""
    at = running[rows] if first.ndim == 1 else running[rows][:, None]
    return np.asarray(at - np.where((first > 0)[..., None], running[first - 1], 0))


def _extreme(choose: np.ufunc, values: Floats, first: Integers, ends: Integers) -> Floats:
    """The extreme of values[first:end] for each pair.

    For many pairs by doubling: the extreme of 2^j values is that of two halves, and any range is covered by two
    such blocks that overlap. An extreme is the same number however it is found.
    """
    if len(first) <= FEW:
        # the ufunc that hands NaN on is several times faster, and right unless there is one
        plain = np.maximum if choose is np.fmax else np.minimum
        found = np.array([plain.reduce(values[a:b]) for a, b in zip(first, ends, strict=True)])
        for i in np.flatnonzero(np.isnan(found)):
            found[i] = choose.reduce(values[first[i] : ends[i]])
        return found
    found = np.empty(len(first))
    level = np.floor(np.log2(ends - first)).astype(int)
    block = values.copy()
    for j in range(int(level.max()) + 1):
        if j:
            half = 2 ** (j - 1)
            block[:-half] = choose(block[:-half], block[half:])
        here = np.flatnonzero(level == j)
        found[here] = choose(block[first[here]], block[ends[here] - 2**j])
    return found


def _recurrence(spec: FeatureSpec, history: History, rows: Integers) -> Floats:
    """How long ago it was high, when the last stretch began, the rhythm of stretches, and where in it now is."""
    now, limit = history.times[rows], spec.lookback
    since_high = np.minimum(now - history.last_high[rows], limit)
    since_onset = np.minimum(now - history.last_onset[rows], limit)
    seen = now - history.previous_onset[rows] <= limit
    # -inf minus -inf, before any stretch was seen, must not be computed at all
    period = np.full(len(rows), limit)
    np.subtract(history.last_onset[rows], history.previous_onset[rows], out=period, where=seen)
    lengths = np.log1p(np.stack([since_high, since_onset, period], axis=1) / spec.step)
    return np.column_stack([lengths, since_onset / period])
