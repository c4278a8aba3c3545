"""Sample spacing: running median of the intervals between samples, and gaps."""

from __future__ import annotations

import numpy as np

from model.array_types import Bools, Floats, median

GAP_FACTOR = 2.5
"""Multiple of the spacing above which an interval is a gap; no state or rate spans a gap."""

RECENT_INTERVALS = 5
"""Number of intervals whose median is the spacing.

The median is robust to two outliers and follows a change of the interval after three samples.
"""

CHUNK_ROWS = 50_000
"""Number of rows computed at once: the intervals of a row are RECENT_INTERVALS times as large as its time."""

TOLERANCE = 0.1
"""Tolerance on the durations that start and end high load, as a fraction of the spacing: sampling times jitter."""


def sample_spacing(times: Floats, first: int = 0) -> Floats:
    """Return the spacing at each sample: the median of the last RECENT_INTERVALS intervals, or of all if fewer.

    Args:
        times: (rows,) seconds, increasing.
        first: index of the first row to compute; earlier rows only contribute intervals.

    Returns:
        (rows - first,) seconds; 0 for row 0, which has no interval.
    """
    spacing = np.zeros(len(times) - first)
    for row in range(max(first, 1), min(RECENT_INTERVALS, len(times))):
        spacing[row - first] = median(np.diff(times[: row + 1]))
    full = max(first, RECENT_INTERVALS)
    if full == len(times) - 1:
        # A single row, as in live serving: sorting a short list is several times faster.
        recent = times[-RECENT_INTERVALS - 1 :]
        spacing[-1] = sorted((recent[1:] - recent[:-1]).tolist())[RECENT_INTERVALS // 2]
    elif full < len(times):
        middle = RECENT_INTERVALS // 2
        for row in range(full, len(times), CHUNK_ROWS):
            intervals = np.diff(times[row - RECENT_INTERVALS : row + CHUNK_ROWS])
            windows = np.lib.stride_tricks.sliding_window_view(intervals, RECENT_INTERVALS)
            spacing[row - first : row - first + CHUNK_ROWS] = np.partition(windows, middle, axis=1)[:, middle]
    return spacing


def follows_gap(elapsed: Floats, spacing: Floats) -> Bools:
    """Return a mask (rows,): True where `elapsed` exceeds GAP_FACTOR times the spacing.

    Args:
        elapsed: (rows,) seconds since the sample before.
        spacing: (rows,) seconds, from `sample_spacing`.
    """
    return np.asarray(elapsed > GAP_FACTOR * spacing)
