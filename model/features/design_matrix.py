"""Design matrix: features of samples in a rolling window, for training and serving alike."""

from __future__ import annotations

import numpy as np

from model.array_types import Floats, Integers
from model.features import load_states
from model.features.feature_spec import FeatureSpec
from model.features.rolling_window import FIXED_POINT, RollingWindow
from model.features.seasonal import seasonal_features
from model.features.time_buckets import TimeBuckets
from model.units import MINUTE

MIN_COVERAGE = 0.5
"""Smallest fraction of a window that samples must cover; below it the statistics of the window are missing."""

CHUNK_ROWS = 4096
"""Number of rows computed at once; it bounds the memory of the window sums."""

LOAD_STATISTICS = 5
"""Number of load-index statistics per window: see `_fill_load`."""

RECURRENCE_FEATURES = 4
"""Number of recurrence features: see `_fill_recurrence`."""

MAX_PHASE = 4.0
"""Upper bound of the phase: time since the last onset divided by the time between the last two onsets."""


def design_matrix(spec: FeatureSpec, window: RollingWindow, rows: Integers) -> Floats:
    """Compute the features of the given samples; a result row does not depend on the other rows.

    Args:
        spec: feature specification.
        window: window from `spec.new_window()` that contains the samples.
        rows: (n,) indices into the window.

    Returns:
        (n, features) float32, NaN where missing.
    """
    lengths = np.asarray(spec.windows)
    first = np.searchsorted(window.times, window.times[rows][:, None] - lengths, side="right")
    maxima = _extremes(np.maximum, np.fmax, window.load_index, first, rows + 1)
    minima = _extremes(np.minimum, np.fmin, window.load_index, first, rows + 1)
    x = np.empty((len(rows), len(spec.names)), np.float32)
    for start in range(0, len(rows), CHUNK_ROWS):
        chunk = slice(start, start + CHUNK_ROWS)
        sums, counts = _window_sums(spec, window, rows[chunk], first[chunk])
        _fill_inputs(x[chunk], spec, sums, counts)
        load = x[chunk, len(spec.inputs) * (len(spec.windows) + 1) :]
        _fill_load(load, sums[:, 1:], counts[:, 1:], (maxima[chunk], minima[chunk]))
        load[:, 0] = window.load_index[rows[chunk]]
        load[:, 1] = window.state[rows[chunk]]
        _fill_recurrence(load[:, 2 + LOAD_STATISTICS * len(spec.windows) :], spec, window, rows[chunk])
        if spec.crossings:
            first_crossing = 2 + LOAD_STATISTICS * len(spec.windows) + RECURRENCE_FEATURES
            brief = sums[:, 1:, -2] / counts[:, 1:, -1]
            load[:, first_crossing : first_crossing + len(spec.windows)] = brief
    if window.buckets is not None:
        _fill_seasonal(x, spec, window.buckets, window.bucket_numbers[rows])
    return x


def _fill_seasonal(x: Floats, spec: FeatureSpec, buckets: TimeBuckets, numbers: Integers) -> None:
    """Write the seasonal features into the last columns of the design matrix; compute them once per bucket.

    Args:
        x: (n, features); the first columns already hold the last value of each input.
        spec: feature specification.
        buckets: time buckets of the history.
        numbers: (n,) bucket number of each row.
    """
    if len(numbers) == 1:
        number = int(numbers[0])
        if buckets.cached_features is None or buckets.cached_features[0] != number:
            buckets.cached_features = number, seasonal_features(buckets, numbers, spec.horizons, FIXED_POINT)
        features = buckets.cached_features[1]
    else:
        distinct, inverse = np.unique(numbers, return_inverse=True)
        features = seasonal_features(buckets, distinct, spec.horizons, FIXED_POINT)[inverse]
    days = x[:, x.shape[1] - features.shape[1] :]
    days[:] = features
    # The first columns are means over the last day: the feature is the current value minus this mean.
    inputs = len(spec.inputs)
    np.subtract(x[:, :inputs], days[:, :inputs], out=days[:, :inputs])


def _window_sums(
    spec: FeatureSpec, window: RollingWindow, rows: Integers, first: Integers
) -> tuple[Integers, Floats]:
    """Return the sums and the numbers of known values over each window.

    Args:
        spec: feature specification.
        window: rolling window of the samples.
        rows: (n,) index of the last row of the windows.
        first: (n, windows) index of the first row of each window.

    Returns:
        Sums (n, 1 + windows, sums) and counts (n, 1 + windows, counts). The window at index 0 is the row alone.
        A count is NaN if no value is known, or if samples cover less than MIN_COVERAGE of the window.
    """
    first = np.concatenate((rows[:, None], first), axis=1)
    sums = _range_sums(window.sums, first, rows)
    counts = _range_sums(window.counts, first, rows)
    usable = np.where(counts > 0, counts, np.nan)
    covered_ms = sums[:, 1:, -1]
    usable[:, 1:][covered_ms < MIN_COVERAGE * np.asarray(spec.windows) * 1000] = np.nan
    return sums, usable


def _fill_inputs(x: Floats, spec: FeatureSpec, sums: Integers, counts: Floats) -> None:
    """Write the last value of each input, and its difference from the mean over each window, into `x`.

    Args:
        x: (n, features); the first inputs * (1 + windows) columns are written.
        spec: feature specification.
        sums: (n, 1 + windows, sums), see `_window_sums`.
        counts: (n, 1 + windows, counts), see `_window_sums`.
    """
    n, windows, inputs = len(x), len(spec.windows), len(spec.inputs)
    end = inputs * (windows + 1)
    x[:, :end] = (sums[..., :inputs] / counts[..., :inputs] / FIXED_POINT).reshape(n, -1)
    means = x[:, inputs:end].reshape(n, windows, inputs)
    x[:, inputs:end] = (x[:, None, :inputs] - means).reshape(n, -1)


def _fill_load(load: Floats, sums: Integers, counts: Floats, extremes: tuple[Floats, Floats]) -> None:
    """Write five statistics of the load index for each window.

    The statistics are mean, standard deviation, fraction of samples with a load index of at least 1, maximum and
    minimum.

    Args:
        load: (n, columns) columns of the design matrix from the load index on; from column 2 on,
            LOAD_STATISTICS * windows columns are written.
        sums: (n, windows, sums) from `_window_sums`; the last five columns are described at `RollingWindow.sums`.
        counts: (n, windows, counts) from `_window_sums`; the last column counts the load index.
        extremes: maxima and minima of the load index, (n, windows) each.
    """
    n, windows = sums.shape[:2]
    known = counts[..., -1:]
    moments = sums[..., -5:-2] / known
    mean = moments[..., 0]
    statistics = np.empty((n, windows, LOAD_STATISTICS))
    statistics[..., 0] = mean / FIXED_POINT
    statistics[..., 1] = np.sqrt(np.maximum(moments[..., 1] - mean * mean, 0)) / FIXED_POINT
    statistics[..., 2] = moments[..., 2]
    statistics[..., 3] = extremes[0]
    statistics[..., 4] = extremes[1]
    statistics[np.isnan(known[..., 0])] = np.nan
    load[:, 2 : 2 + LOAD_STATISTICS * windows] = statistics.reshape(n, -1)


def _range_sums(running: Integers, first: Integers, rows: Integers) -> Integers:
    """Return the sum (rows, windows, sums) over each window as a difference of cumulative sums.

    Args:
        running: (n, sums) cumulative sums.
        first: (rows, windows) index of the first row of each window.
        rows: (rows,) index of the last row of the windows.
    """
    before = running.take(first - 1, axis=0)
    if np.count_nonzero(first) < first.size:
        before[first == 0] = 0
    return np.asarray(running.take(rows, axis=0)[:, None] - before)


def _extremes(fast: np.ufunc, ignoring_nan: np.ufunc, values: Floats, first: Integers, ends: Integers) -> Floats:
    """Return the maximum or minimum (rows, windows) of values[first:end] for each row and window, ignoring NaN.

    A single row is computed by a faster algorithm with an equal result.

    Args:
        fast: np.maximum or np.minimum; it propagates NaN and is several times faster than `ignoring_nan`.
        ignoring_nan: np.fmax or np.fmin, which ignore NaN.
        values: (n,) one value per row of the rolling window.
        first: (rows, windows) starts of the windows, the longest window last.
        ends: (rows,) exclusive ends of the windows.
    """
    if len(ends) == 1:
        # Windows with a common end are nested, so each value is read once.
        starts = first[0, ::-1] - first[0, -1]
        pieces = fast.reduceat(values[first[0, -1] : ends[0]], starts)
        if np.count_nonzero(np.isnan(pieces)):
            pieces = ignoring_nan.reduceat(values[first[0, -1] : ends[0]], starts)
        return np.asarray(ignoring_nan.accumulate(pieces[::-1])[None, :])
    lengths = ends[:, None] - first
    extremes = np.empty(first.shape)
    levels = np.floor(np.log2(lengths)).astype(int)
    block = values.copy()
    for level in range(int(levels.max()) + 1):
        # Sparse table: block[i] is the extreme of the 2^level values from i on; two such blocks cover a window.
        if level:
            half = 2 ** (level - 1)
            block[:-half] = ignoring_nan(block[:-half], block[half:])
        row, column = np.nonzero(levels == level)
        extremes[row, column] = ignoring_nan(block[first[row, column]], block[ends[row] - 2**level])
    return extremes


def _fill_recurrence(x: Floats, spec: FeatureSpec, window: RollingWindow, rows: Integers) -> None:
    """Write the recurrence features into `x` (n, 4).

    The first three are durations of at most `spec.high_load_memory`, as log(1 + minutes): since high load, since the
    last onset, and between the last two onsets. The fourth is the phase (see MAX_PHASE).
    """
    now = window.times[rows]
    limit = spec.high_load_memory
    states = window.states.take(rows, axis=0)
    last_onset = states[:, load_states.LAST_ONSET]
    previous_onset = states[:, load_states.PREVIOUS_ONSET]
    lengths = np.full((len(rows), 3), limit)
    np.minimum(now - states[:, load_states.LAST_HIGH], limit, out=lengths[:, 0])
    np.minimum(now - last_onset, limit, out=lengths[:, 1])
    # Before the first onset both times are -inf, and their difference is not computed.
    np.subtract(last_onset, previous_onset, out=lengths[:, 2], where=now - previous_onset <= limit)
    np.minimum(lengths[:, 1] / lengths[:, 2], MAX_PHASE, out=x[:, 3])
    x[:, :3] = np.log1p(lengths / MINUTE)
