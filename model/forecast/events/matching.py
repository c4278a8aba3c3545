"""Event matching: warnings against high-load periods.

A warning counts only while no high-load period is in progress: the masks `active` are False during a period.
"""

from __future__ import annotations

import numpy as np

from model.array_types import Bools, Floats
from model.features.spacing import follows_gap, sample_spacing


def period_onsets(times: Floats, state: Floats, period_start: Floats) -> Floats:
    """Return the times (periods,) of the high-load periods that follow a sample at which load was not high.

    Args:
        times: (rows,) seconds, increasing.
        state: (rows,) 1 during high load, 0 otherwise, NaN if unknown.
        period_start: (rows,) start of the period in progress, -inf if there is none.
    """
    starts = (period_start[1:] == times[1:]) & (state[:-1] == 0)
    return np.asarray(times[1:][starts])


def predicted_onsets(onsets: Floats, at: Floats, horizon: float) -> Floats:
    """Return the onsets with at least one prediction in [onset - horizon, onset).

    Args:
        onsets: (n,) seconds, increasing.
        at: (rows,) times of the predictions made outside high-load periods, in seconds, increasing.
        horizon: seconds.
    """
    return onsets[np.searchsorted(at, onsets - horizon) < np.searchsorted(at, onsets)]


def lead_times(onsets: Floats, at: Floats, active: Bools, horizon: float) -> Floats:
    """Return the time from the first active warning in [onset - horizon, onset) to each onset.

    Args:
        onsets: (periods,) seconds, increasing.
        at: (rows,) times of the predictions in seconds, increasing.
        active: (rows,) True while a warning is active.
        horizon: seconds.

    Returns:
        (periods,) seconds; NaN for a missed period, which no warning announced.
    """
    warned_at = at[active]
    first = np.searchsorted(warned_at, onsets - horizon)
    announced = first < np.searchsorted(warned_at, onsets)
    lead = np.full(len(onsets), np.nan)
    lead[announced] = onsets[announced] - warned_at[first[announced]]
    return lead


def false_warnings(at: Floats, active: Bools, outcomes: Floats, horizon: float) -> Bools:
    """Return a mask (rows,) of the predictions that end a false warning.

    Within one horizon after such a prediction, load is not high and no further warning is active: warnings less than
    one horizon apart are one warning. A warning with an unknown outcome is not false.

    Args:
        at: (rows,) times of the predictions in seconds, increasing.
        active: (rows,) True while a warning is active.
        outcomes: (rows,) 1 if high load occurs within the horizon, 0 if not, NaN if unknown.
        horizon: seconds.
    """
    mask = np.zeros(len(at), bool)
    rows = np.flatnonzero(active)
    mask[rows] = (np.diff(at[rows], append=np.inf) > horizon) & (outcomes[rows] == 0)
    return mask


def observed_seconds(at: Floats, outcomes: Floats) -> Floats:
    """Return the time (rows,) in seconds since the prediction before; 0 after a gap and for an unknown outcome.

    Args:
        at: (rows,) times of the predictions in seconds, increasing.
        outcomes: (rows,) NaN if unknown.
    """
    if not len(at):
        return np.zeros(0)
    elapsed = np.diff(at, prepend=at[0])
    return np.where(np.isnan(outcomes) | follows_gap(elapsed, sample_spacing(at)), 0.0, elapsed)
