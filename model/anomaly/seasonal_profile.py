"""Seasonal profile: usual values at each half hour of the day, with cross-fitted residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.units import DAY, HOUR

PROFILE_SLOT = HOUR / 2
"""Length in seconds of a slot of the profile; slots are counted from midnight UTC."""

PROFILE_SLOTS = round(DAY / PROFILE_SLOT)


@dataclass(frozen=True)
class SeasonalProfile:
    """Mean of each metric at each half hour of the day.

    Attributes:
        means: (PROFILE_SLOTS, metrics) means of the standardized values.
    """

    means: Floats

    def at(self, time: float) -> Floats:
        """Return the means (metrics,) at a time in seconds since the epoch."""
        return np.asarray(self.means[int(time % DAY // PROFILE_SLOT)])


def fit_seasonal_profile(times: Floats, z: Floats, present: Bools) -> tuple[SeasonalProfile, Floats]:
    """Fit a profile, and compute the residuals of each day from the profile of the other days.

    A slot without values has the mean of the metric.

    Args:
        times: (rows,) seconds since the epoch, increasing.
        z: (rows, metrics) standardized values, finite.
        present: (rows, metrics), False for values to leave out of the fit.

    Returns:
        The profile of all days, and (rows, metrics) cross-fitted residuals.
    """
    numbers = (times // PROFILE_SLOT).astype(np.int64)
    groups, group_of = np.unique(numbers, return_inverse=True)
    starts = np.searchsorted(numbers, groups)
    sums = np.add.reduceat(np.where(present, z, 0.0), starts, axis=0)
    counts = np.add.reduceat(present, starts, axis=0, dtype=np.int64)
    overall = sums.sum(axis=0) / np.maximum(counts.sum(axis=0), 1)
    slots = groups % PROFILE_SLOTS
    slot_sums = np.zeros((PROFILE_SLOTS, z.shape[1]))
    slot_counts: Integers = np.zeros(slot_sums.shape, np.int64)
    np.add.at(slot_sums, slots, sums)
    np.add.at(slot_counts, slots, counts)
    other_days = _means(slot_sums[slots] - sums, slot_counts[slots] - counts, overall)
    return SeasonalProfile(_means(slot_sums, slot_counts, overall)), z - other_days[group_of]


def _means(sums: Floats, counts: Integers, default: Floats) -> Floats:
    """Return sums / counts (slots, metrics); `default` (metrics,) where the count is 0."""
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), default))
