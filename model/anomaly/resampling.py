"""Resampling: samples averaged into rows of at least one minute, and gap handling."""

from __future__ import annotations

import numpy as np

from model.anomaly.forecaster import LOOKBACK
from model.array_types import Bools, Floats, Integers
from model.features.rows import Rows
from model.units import MINUTE

CHUNK_GROUPS = 2000
"""Number of rows averaged at once: the samples of a month need a hundred times the memory of their rows."""

WARM_UP_ROWS = 16
"""Number of rows with a value after a gap before a metric is scored."""

MAX_GAP = 2
"""Largest number of consecutive missing rows after which a metric needs no new warm-up."""


def row_interval(interval: float) -> float:
    """Return the row interval in seconds for samples `interval` seconds apart: at least one minute."""
    return max(MINUTE, interval)


def resample(times: Floats, values: Rows, step: float, excluded: Bools | None = None) -> tuple[Floats, Floats]:
    """Average samples over row intervals of `step` seconds; gaps become rows of NaN.

    A gap becomes at most LOOKBACK rows, because earlier rows have no influence on the forecasts after the gap.

    Args:
        times: (samples,) seconds, increasing.
        values: (samples, columns), NaN where missing.
        step: row interval in seconds.
        excluded: (samples,) True for a sample whose values count as missing; None for no such sample.

    Returns:
        (rows,) start times of the rows in seconds, and (rows, columns) averages.
    """
    if not len(times):
        return times, values[0:0]
    numbers = np.floor_divide(times, step).astype(np.int64)
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
    means = _group_means(values, starts, excluded)
    numbers = numbers[starts]
    positions = np.cumsum(np.minimum(np.diff(numbers, prepend=numbers[0] - 1), LOOKBACK + 1)) - 1
    rows = np.full((positions[-1] + 1, means.shape[1]), np.nan)
    row_times = np.full(positions[-1] + 1, np.nan)
    rows[positions] = means
    row_times[positions] = numbers * step
    gaps = np.flatnonzero(np.isnan(row_times))
    if len(gaps):
        # The times of the rows in a gap are counted backwards from the first row after the gap.
        following = positions[np.searchsorted(positions, gaps)]
        row_times[gaps] = row_times[following] - (following - gaps) * step
    return row_times, rows


def _group_means(values: Rows, starts: Integers, excluded: Bools | None) -> Floats:
    """Return the means (groups, columns) of the present values of each group of rows; NaN if none is present.

    Args:
        values: (rows, columns), NaN where missing.
        starts: (groups,) index of the first row of each group.
        excluded: (rows,) True for a row whose values count as missing; None for no such row.
    """
    borders = np.append(starts, len(values))
    means = []
    for first in range(0, len(starts), CHUNK_GROUPS):
        groups = borders[first : first + CHUNK_GROUPS + 1]
        rows = slice(int(groups[0]), int(groups[-1]))
        part = values[rows]
        if excluded is not None:
            part = np.where(excluded[rows, None], np.nan, part)
        # Rows that are as long as the groups stay as they are.
        means.append(part if len(starts) == len(values) else _means_of_groups(part, groups[:-1] - groups[0]))
    return np.concatenate(means)


def _means_of_groups(values: Floats, starts: Integers) -> Floats:
    """Return the means (groups, columns) of the present values of each group of rows; NaN if none is present."""
    present = ~np.isnan(values)
    totals = np.add.reduceat(np.where(present, values, 0.0), starts, axis=0)
    counts = np.add.reduceat(present, starts, axis=0, dtype=np.int64)
    means: Floats = np.divide(totals, counts, out=np.full(totals.shape, np.nan), where=counts > 0)
    return means


def continuously_present(present: Bools, warm_up: int = WARM_UP_ROWS) -> Bools:
    """Return a mask of the values that have at least `warm_up` earlier values since the last gap of the metric.

    A gap is more than MAX_GAP consecutive missing rows.

    Args:
        present: (rows, metrics), False where a value is missing.
        warm_up: number of present values of the metric that must precede the value.

    Returns:
        (rows, metrics); False for missing values.
    """
    continuous = np.zeros(present.shape, bool)
    for metric, column in enumerate(present.T):
        rows = np.flatnonzero(column)
        numbers = np.arange(len(rows))
        after_gap = np.diff(rows, prepend=-MAX_GAP - 2) > MAX_GAP + 1
        run_length = numbers - np.maximum.accumulate(np.where(after_gap, numbers, 0))
        continuous[rows[run_length >= warm_up], metric] = True
    return continuous


def forward_fill(z: Floats) -> Floats:
    """Return `z` (rows, metrics) with NaN replaced by the last known value of the metric; 0 if there is none."""
    present = ~np.isnan(z)
    last = np.maximum.accumulate(np.where(present, np.arange(len(z))[:, None], -1), axis=0)
    return np.where(last >= 0, np.take_along_axis(z, np.maximum(last, 0), axis=0), 0.0)
