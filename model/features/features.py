"""From the past of a moment to the numbers a network sees.

There is one function for the live moment and for the rows of a training. Windows are in seconds, reach only
back, and say "missing" rather than stretch over time that nobody watched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model.array_types import Floats, Integers
from model.features.labels import GAP_FACTOR, Rules
from model.features.rolling_window import RATIO_GRID, RollingWindow
from model.features.seasonal import seasonal, seasonal_names
from model.features.time_buckets import DAYS, LOOKBACK, TimeBuckets, bucket_width
from model.units import DAY, HOUR, MINUTE

MIN_COVERAGE = 0.5
"""A window of which less than this share was watched is missing."""

CHUNK_ROWS = 4096
"""Rows made at once: the windows' sums of a month would not fit a small machine."""

LONGEST_PHASE = 4.0
"""Periods after the last onset at which the rhythm counts as lost."""

LARGEST_RATIO = 64.0
"""A metric that ever exceeds this is a rate or a size and enters as its logarithm."""

GENERAL_WINDOWS = (MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR)
"""Windows in seconds that tell something whatever the horizons are; a prior looks at no others."""


def windows_for(horizons: Sequence[float], step: float) -> tuple[float, ...]:
    """The windows of the past that tell about these horizons, in seconds.

    One shorter than the nearest horizon, each horizon itself, and half, twice and four times the furthest, beside
    the general ones; none so short that it could not hold two samples.
    """
    longest = max(horizons)
    wanted = {min(horizons) / 5, *horizons, longest / 2, 2 * longest, 4 * longest, *GENERAL_WINDOWS}
    return tuple(sorted({at_least_two(window, step) for window in wanted}))


def at_least_two(window: float, step: float) -> float:
    """A window (seconds) made so long that it can hold two samples."""
    return max(window, 2 * step)


@dataclass(frozen=True)
class FeatureSpec:
    """Which features, of which columns, over which windows; kept with the model.

    `columns` is what rows of history are made of, `inputs` those that vary enough to tell something; `seasonal` says
    whether other days are looked at, which samples too far apart do not allow.
    """

    columns: tuple[str, ...]
    inputs: tuple[str, ...]
    logarithmic: tuple[str, ...]
    rules: Rules
    windows: tuple[float, ...]
    step: float
    horizons: tuple[float, ...]
    seasonal: bool

    @property
    def lookback(self) -> float:
        """Seconds of the past that a feature may see."""
        return self.windows[-1]

    @property
    def remembers(self) -> float:
        """Seconds for which high load is remembered."""
        return DAYS * DAY if self.seasonal else self.lookback

    @property
    def needed(self) -> float:
        """Seconds of samples from which the features of one moment come out as they would from all of them.

        A high state at the edge of the lookback began up to `sustained` earlier, hence the margin.
        """
        days = LOOKBACK if self.seasonal else 0.0
        return max(self._near, days + self.rules.sustained)

    @property
    def _near(self) -> float:
        """Of those, what is needed sample by sample."""
        return self.lookback + self.rules.sustained + 2 * GAP_FACTOR * self.step

    @cached_property
    def names(self) -> tuple[str, ...]:
        """One name a feature, "<metric>:<what>[:<window>]", in the order of the design matrix."""
        spans = [f"{window:g}s" for window in self.windows]
        metrics = [f"{name}:last" for name in self.inputs]
        metrics += [f"{name}:departure:{span}" for span in spans for name in self.inputs]
        load = ["load_index:last", "load_index:state"]
        load += [
            f"load_index:{what}:{span}" for span in spans for what in ("mean", "deviation", "high", "max", "min")
        ]
        load += [f"load_index:{what}" for what in ("since_high", "since_onset", "period", "phase")]
        days = seasonal_names(self.inputs, self.horizons) if self.seasonal else ()
        return (*metrics, *load, *days)

    @cached_property
    def place(self) -> dict[str, int]:
        """The column of the design matrix of each feature."""
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The metrics that the features are made of, each once."""
        return tuple(dict.fromkeys(name.partition(":")[0] for name in self.names))

    @cached_property
    def membership(self) -> Floats:
        """(features, groups), 1 where a feature is made of a metric."""
        metrics = np.array([name.partition(":")[0] for name in self.names])
        return np.asarray(metrics[:, None] == np.array(self.groups), dtype=np.float64)

    def history(self, *, live: bool = False) -> RollingWindow:
        """An empty history for these features; a live one forgets what no feature can see any more."""
        return RollingWindow(
            self.columns,
            self.rules,
            self.step,
            inputs=self.inputs,
            logarithmic=self.logarithmic,
            keep=self._near if live else np.inf,
            bucket_width=bucket_width(self.step) if self.seasonal else None,
        )


def make_spec(
    columns: Sequence[str],
    values: Floats,
    rules: Rules,
    horizons: Sequence[float],
    step: float,
) -> FeatureSpec:
    """The features that this history can fill.

    Args:
        columns: names of the columns of `values`.
        values: (rows, columns), NaN where missing.
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
    return FeatureSpec(
        tuple(columns),
        tuple(inputs),
        tuple(logarithmic),
        rules,
        windows_for(horizons, step),
        step,
        tuple(horizons),
        bucket_width(step) is not None,
    )


def design_matrix(spec: FeatureSpec, history: RollingWindow, rows: Integers) -> Floats:
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
    extremes = (
        _extremes(np.maximum, np.fmax, history.load_index, first, rows + 1),
        _extremes(np.minimum, np.fmin, history.load_index, first, rows + 1),
    )
    x = np.empty((len(rows), len(spec.names)), np.float32)
    for start in range(0, len(rows), CHUNK_ROWS):
        here = slice(start, start + CHUNK_ROWS)
        _fill(x[here], spec, history, rows[here], first[here], (extremes[0][here], extremes[1][here]))
    if history.bins is not None:
        _fill_days(x, spec, history.bins, history.positions[rows])
    return x


def _fill_days(x: Floats, spec: FeatureSpec, bins: TimeBuckets, positions: Integers) -> None:
    """Writes what is the same for all moments of a bin into the last columns of `x`."""
    if len(positions) == 1:
        at = int(positions[0])
        if bins.remembered is None or bins.remembered[0] != at:
            bins.remembered = at, seasonal(bins, positions, spec.horizons, RATIO_GRID)
        found = bins.remembered[1]
    else:
        which, place = np.unique(positions, return_inverse=True)
        found = seasonal(bins, which, spec.horizons, RATIO_GRID)[place]
    days = x[:, x.shape[1] - found.shape[1] :]
    days[:] = found
    # of a metric's mean over a day only how far it is off now tells something
    k = len(spec.inputs)
    np.subtract(x[:, :k], days[:, :k], out=days[:, :k])


def _fill(
    x: Floats,
    spec: FeatureSpec,
    history: RollingWindow,
    rows: Integers,
    first: Integers,
    extremes: tuple[Floats, Floats],
) -> None:
    """Writes the features of `rows` into `x`; `first` and the largest and smallest load are (rows, windows)."""
    windows = np.asarray(spec.windows)
    n, w, k = len(rows), len(windows), len(spec.inputs)
    # the moment itself is the window of one row
    first = np.concatenate((rows[:, None], first), axis=1)
    sums = _difference(history.sums, first, rows)
    counts = _difference(history.counts, first, rows)
    usable = np.where(counts > 0, counts, np.nan)
    usable[:, 1:][sums[:, 1:, -1] < MIN_COVERAGE * windows * 1000] = np.nan
    x[:, : k * (w + 1)] = (sums[..., :k] / usable[..., :k] / RATIO_GRID).reshape(n, -1)
    x[:, k : k * (w + 1)] = (x[:, None, :k] - x[:, k : k * (w + 1)].reshape(n, w, k)).reshape(n, -1)
    of_load = x[:, k * (w + 1) :]
    of_load[:, 0] = history.load_index[rows]
    of_load[:, 1] = history.state[rows]
    at_load = usable[:, 1:, k:]
    moments = sums[:, 1:, k : k + 3] / at_load
    mean = moments[..., 0]
    by_window = np.empty((n, w, 5))
    by_window[..., 0] = mean / RATIO_GRID
    by_window[..., 1] = np.sqrt(np.maximum(moments[..., 1] - mean * mean, 0)) / RATIO_GRID
    by_window[..., 2] = moments[..., 2]
    by_window[..., 3] = extremes[0]
    by_window[..., 4] = extremes[1]
    by_window[np.isnan(at_load[..., 0])] = np.nan
    of_load[:, 2 : 2 + 5 * w] = by_window.reshape(n, -1)
    _recurrence(of_load[:, 2 + 5 * w :], spec, history, rows)


def _difference(running: Integers, first: Integers, rows: Integers) -> Integers:
    """The sums over first..row, (rows, windows, sums); `first` is (rows, windows)."""
    before = running[first - 1]
    before[first == 0] = 0
    return np.asarray(running[rows][:, None] - before)


def _extremes(plain: np.ufunc, choose: np.ufunc, values: Floats, first: Integers, ends: Integers) -> Floats:
    """The extreme of values[first:end] for each row and window, (rows, windows).

    An extreme is the same number however it is found, so one moment takes one way and many take another.

    Args:
        plain: the ufunc that hands NaN on; it is several times faster.
        choose: the one that leaves NaN out.
        values: (n,).
        first: (rows, windows), the longest window last.
        ends: (rows,).
    """
    if len(ends) == 1:
        # windows that end together lie in each other: each value is looked at once
        starts = first[0, ::-1] - first[0, -1]
        pieces = plain.reduceat(values[first[0, -1] : ends[0]], starts)
        if np.isnan(pieces).any():
            pieces = choose.reduceat(values[first[0, -1] : ends[0]], starts)
        return np.asarray(choose.accumulate(pieces[::-1])[None, :])
    lengths = ends[:, None] - first
    found = np.empty(first.shape)
    level = np.floor(np.log2(lengths)).astype(int)
    block = values.copy()
    for j in range(int(level.max()) + 1):
        # block[i] is the extreme of 2^j values from i on; two such that overlap cover any range of up to 2^(j+1)
        if j:
            half = 2 ** (j - 1)
            block[:-half] = choose(block[:-half], block[half:])
        row, window = np.nonzero(level == j)
        found[row, window] = choose(block[first[row, window]], block[ends[row] - 2**j])
    return found


def _recurrence(x: Floats, spec: FeatureSpec, history: RollingWindow, rows: Integers) -> None:
    """How long ago it was high, when the last stretch began, the rhythm of stretches, and where in it now is."""
    now, limit = history.times[rows], spec.remembers
    last_onset, previous_onset = history.last_onset[rows], history.previous_onset[rows]
    lengths = np.full((len(rows), 3), limit)
    np.minimum(now - history.last_high[rows], limit, out=lengths[:, 0])
    np.minimum(now - last_onset, limit, out=lengths[:, 1])
    # -inf minus -inf, before any stretch was seen, must not be computed at all
    np.subtract(last_onset, previous_onset, out=lengths[:, 2], where=now - previous_onset <= limit)
    np.minimum(lengths[:, 1] / lengths[:, 2], LONGEST_PHASE, out=x[:, 3])
    # lengths of time count in minutes, on a logarithmic scale
    x[:, :3] = np.log1p(lengths / MINUTE)
