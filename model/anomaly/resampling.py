"""Samples averaged over rows of a minute or more: what a detector learns from and watches."""

from __future__ import annotations

import numpy as np

from model.anomaly.forecaster import REACH
from model.array_types import Floats
from model.units import MINUTE


def row_interval(step: float) -> float:
    """Seconds of a row for samples `step` seconds apart: a minute at least, in which samples are averaged."""
    return max(MINUTE, step)


def resample(times: Floats, values: Floats, step: float) -> tuple[Floats, Floats]:
    """Samples averaged over rows `step` seconds long, with rows of NaN where nobody watched.

    A hole is laid out only as far as it can matter.

    Args:
        times: (samples,) seconds, increasing.
        values: (samples, columns), NaN where missing.
        step: seconds of a row.

    Returns:
        (rows,) the seconds at which each begins, and (rows, columns).
    """
    number = np.floor_divide(times, step).astype(np.int64)
    starts = np.flatnonzero(np.diff(number, prepend=number[0] - 1 if len(number) else 0))
    known = ~np.isnan(values)
    if len(starts) == len(times):
        means = values
    else:
        totals = np.add.reduceat(np.where(known, values, 0.0), starts, axis=0)
        counts = np.add.reduceat(known, starts, axis=0, dtype=np.int64)
        means = np.divide(totals, counts, out=np.full(totals.shape, np.nan), where=counts > 0)
    rows = number[starts]
    place = np.cumsum(np.minimum(np.diff(rows, prepend=rows[0] - 1), REACH + 1)) - 1
    found, at = np.full((place[-1] + 1, values.shape[1]), np.nan), np.full(place[-1] + 1, np.nan)
    found[place], at[place] = means, rows * step
    missing = np.flatnonzero(np.isnan(at))
    if len(missing):
        # within a hole rows are counted back from its end
        after = np.searchsorted(place, missing)
        at[missing] = at[place[after]] - (place[after] - missing) * step
    return at, found
