"""Spacing of samples: seconds between neighbouring samples, followed as it changes."""

from __future__ import annotations

import numpy as np

from model.array_types import Bools, Floats

GAP_FACTOR = 2.5
"""Samples more than this many spacings apart have a gap between them; no state is carried across a gap."""

RECENT_INTERVALS = 5
"""Number of intervals whose median is the spacing: robust against a late sample, quick after a new setting."""

TOLERANCE = 0.1
"""Tolerance of a required duration, as a ratio of the spacing, because sampling times jitter."""


def sample_spacing(times: Floats, first: int = 0) -> Floats:
    """Return the median of the RECENT_INTERVALS intervals up to each sample.

    The spacing of a row depends on the RECENT_INTERVALS rows before it only, and on fewer at the start.

    Args:
        times: (rows,) seconds, increasing.
        first: the first row to return.

    Returns:
        (rows - first,) seconds; 0 for the very first sample.
    """
    spacing = np.zeros(len(times) - first)
    for row in range(max(first, 1), min(RECENT_INTERVALS, len(times))):
        spacing[row - first] = np.median(np.diff(times[: row + 1]))
    full = max(first, RECENT_INTERVALS)
    if full < len(times):
        intervals = np.diff(times[full - RECENT_INTERVALS :])
        recent = np.lib.stride_tricks.sliding_window_view(intervals, RECENT_INTERVALS)
        middle = RECENT_INTERVALS // 2
        spacing[full - first :] = np.partition(recent, middle, axis=1)[:, middle]
    return spacing


def follows_gap(elapsed: Floats, spacing: Floats) -> Bools:
    """Return a mask (rows,) of the samples that follow a gap.

    Args:
        elapsed: (rows,) seconds since the sample before.
        spacing: (rows,) `sample_spacing`.
    """
    return np.asarray(elapsed > GAP_FACTOR * spacing)
