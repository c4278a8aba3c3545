"""Computation of aggregates: sums, counts and extremes of rows in time buckets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from storage.records import SAMPLE_FIELDS

Array = NDArray[np.float64]

BUCKET = 300.0
"""Seconds of a bucket of the stored aggregates, from a multiple of it: an hour has twelve."""

SAMPLE_COLUMNS = 1 + 3 * len(SAMPLE_FIELDS)
"""Number of columns of the aggregates of samples."""

PREDICTION_COLUMNS = ("at", "horizon", "count", "probability", "baseline_probability_sum", "threshold", "warning")
"""Columns of the aggregates of predictions."""


def bucket_starts(times: Array) -> Array:
    """Return the start of the bucket of each time (rows,), in seconds since the epoch."""
    return np.asarray(times - np.mod(times, BUCKET))


def aggregate_samples(rows: Array) -> Array:
    """Return the aggregates of samples.

    Args:
        rows: (rows, 1 + SAMPLE_FIELDS) times in order, and values; NaN for a missing value.

    Returns:
        (buckets, SAMPLE_COLUMNS) for each bucket with rows, in order: its start, and for each field the number of
        known values, their sum, and their maximum; NaN if there is none.
    """
    starts = bucket_starts(rows[:, 0])
    first = np.flatnonzero(np.diff(starts, prepend=-np.inf))
    if not len(first):
        return np.empty((0, SAMPLE_COLUMNS))
    counts, sums = sums_of_groups(rows[:, 1:], first)
    maxima = np.fmax.reduceat(rows[:, 1:], first, axis=0)
    return np.column_stack((starts[first], counts, sums, maxima))


def sums_of_groups(values: Array, first: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return the number and the sum of the known values of each column in groups of rows, (groups, columns) each.

    The sums add one row after the other, as those of SQLite do.

    Args:
        values: (rows, columns) NaN for a missing value.
        first: (groups,) index of the first row of each group.
    """
    group = np.repeat(np.arange(len(first)), np.diff(first, append=len(values)))
    is_known = ~np.isnan(values)
    columns = values.shape[1]
    cells = (group[:, None] * columns + np.arange(columns)).ravel()
    size = len(first) * columns
    # A missing value adds zero.
    sums = np.bincount(cells, np.where(is_known, values, 0.0).ravel(), size)
    counts = np.bincount(cells, is_known.ravel(), size)
    shape = (len(first), columns)
    return counts.astype(np.float64, copy=False).reshape(shape), sums.astype(np.float64, copy=False).reshape(shape)


def aggregate_predictions(rows: Array) -> Array:
    """Return the aggregates of predictions.

    Args:
        rows: (rows, fields of Prediction) in any order.

    Returns:
        (groups, PREDICTION_COLUMNS) for each horizon and bucket with rows, in this order: start of the bucket,
        horizon, number of predictions, largest probability, sum of the baseline probabilities, smallest threshold,
        and 1 for a warning, else 0.
    """
    if not len(rows):
        return np.empty((0, len(PREDICTION_COLUMNS)))
    rows = rows[np.lexsort((rows[:, 0], rows[:, 1]))]
    at, horizon, _, probability, baseline, threshold, warning = rows.T[:7]
    starts = bucket_starts(at)
    is_first = (np.diff(starts, prepend=np.nan) != 0) | (np.diff(horizon, prepend=np.nan) != 0)
    first = np.flatnonzero(is_first)
    group = np.cumsum(is_first) - 1
    return np.column_stack(
        (
            starts[first],
            horizon[first],
            np.bincount(group),
            np.maximum.reduceat(probability, first),
            np.bincount(group, baseline),
            np.minimum.reduceat(threshold, first),
            np.maximum.reduceat(warning, first),
        )
    )
