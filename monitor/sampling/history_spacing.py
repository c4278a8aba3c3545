"""History spacing: median spacing of samples, compared with the sampling interval."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from model.features.dataset import typical_step

MAX_RATIO = 1.5
"""Largest ratio of two spacings that count as equal; it allows for sample times rounded to whole seconds."""


def median_spacing(times: npt.NDArray[np.float64]) -> float | None:
    """Return the median spacing in seconds; None if there are fewer than three distinct times.

    Args:
        times: (rows,) seconds since the epoch, in any order.
    """
    spacing = typical_step(np.unique(times), default=math.nan)
    return None if math.isnan(spacing) else spacing


def spacing_differs(spacing: float, interval: float) -> bool:
    """Return True if a spacing and the sampling interval (seconds) differ by more than the factor MAX_RATIO.

    Training adapts to the median spacing of the history: feature windows last at least twice the spacing, and
    horizons shorter than the spacing are left out.
    """
    return not interval / MAX_RATIO <= spacing <= interval * MAX_RATIO
