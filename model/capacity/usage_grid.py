"""Usage grid: the use of one resource at regular times, NaN where it is unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats, Integers

MIN_COVERAGE = 0.75
"""Smallest fraction of known steps in an interval whose maximum counts as known."""


@dataclass(frozen=True)
class UsageGrid:
    """Use of one resource at regular times; the unit of the values is that of the resource.

    Attributes:
        step: seconds between two values.
        values: (n,) use at each time, NaN if unknown.
        peaks: (n,) largest use since the value before, NaN where `values` is NaN.
    """

    step: float
    values: Floats
    peaks: Floats

    def steps(self, seconds: float) -> int:
        """Return the number of steps in a duration, at least 1."""
        return max(1, round(seconds / self.step))


def usage_grid(times: Floats, values: Floats, peaks: Floats, step: float) -> UsageGrid:
    """Return the grid that ends with the newest of some samples.

    Args:
        times: (rows,) seconds, increasing.
        values: (rows,) use.
        peaks: (rows,) largest use since the sample before, at least `values`.
        step: seconds between two values of the grid.

    Returns:
        A grid without values if there are no samples. Of several samples in one step, the newest value and the
        largest peak count.
    """
    if not len(times):
        return UsageGrid(step, np.empty(0), np.empty(0))
    slots = slot_numbers(times, step)
    grid = np.full(slots[-1] + 1, np.nan)
    grid[slots] = values
    largest = np.full(len(grid), -np.inf)
    np.maximum.at(largest, slots, peaks)
    return UsageGrid(step, grid, np.where(np.isnan(grid), np.nan, largest))


def slot_numbers(times: Floats, step: float) -> Integers:
    """Return the slot (rows,) of each time in a grid that ends with the newest one and starts with the oldest."""
    from_end = np.round((times[-1] - times) / step).astype(np.int64)
    return np.asarray(from_end[0] - from_end)


def past_maximum(values: Floats, width: int) -> Floats:
    """Return the maximum of the last `width` values at each position, in O(n log width); NaN counts as -inf."""
    result = np.where(np.isnan(values), -np.inf, values)
    done = 1
    while done < width:
        shift = min(done, width - done)
        shifted = np.concatenate((np.full(min(shift, len(result)), -np.inf), result[:-shift]))
        result = np.maximum(result, shifted)
        done += shift
    return result


def future_maximum(grid: UsageGrid, width: int) -> Floats:
    """Return the largest peak (n,) of the next `width` steps.

    NaN where the interval has not passed, or fewer than MIN_COVERAGE of its steps are known.
    """
    n = len(grid.values)
    result = np.full(n, np.nan)
    if n <= width:
        return result
    known = known_counts(~np.isnan(grid.peaks), width)[width:]
    maximum = past_maximum(grid.peaks, width)[width:]
    result[:-width] = np.where(known >= MIN_COVERAGE * width, maximum, np.nan)
    return result


def known_counts(known: Bools, width: int) -> Integers:
    """Return the number of True values among the last `width` ones at each position."""
    total = np.concatenate(([0], np.cumsum(known)))
    first = np.maximum(np.arange(len(known)) + 1 - width, 0)
    return np.asarray(total[1:] - total[first])


def filled_forward(values: Floats) -> Floats:
    """Return values (n,) with each NaN replaced by the last known value, or by the first one at the start."""
    known = ~np.isnan(values)
    if not known.any():
        return values
    index = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return values[np.where(index < 0, int(np.argmax(known)), index)]
