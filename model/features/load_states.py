"""High-load state machine: state, onsets and high-load periods of consecutive samples."""

from __future__ import annotations

import numpy as np

from model.array_types import Bools, Floats
from model.features.spacing import TOLERANCE

STATE = 0
"""Column of the state: 1 during high load, 0 otherwise, NaN if the load index is unknown."""

LAST_HIGH = 1
"""Column of the time of the last sample during high load."""

LAST_ONSET = 2
"""Column of the time of the last onset."""

PREVIOUS_ONSET = 3
"""Column of the time of the onset before the last onset."""

RUN_START = 4
"""Column of the start of the last run (see `extend_states`)."""

LAST_EXCEEDED = 5
"""Column of the time of the last sample at which at least one rule held."""

LAST_END = 6
"""Column of the time of the last sample that ends a high-load period, if one is in progress.

Such a sample follows a gap, or no rule has held for `sustained` seconds.
"""

PERIOD_START = 7
"""Column of the start of the high-load period in progress; -inf if there is none."""

SHORT_DIP = 0.25
"""Longest dip of the load that counts as high load, as a fraction of the sustained time."""

START = np.array([np.nan, *[-np.inf] * 7])
"""Values of the columns before the first sample; the time of an event that has not occurred is -inf."""


def extend_states(
    before: Floats, exceeded_before: bool, samples: tuple[Floats, Floats, Floats, Floats], sustained: float
) -> Floats:
    """Run the high-load state machine over new samples.

    A run is a sequence of samples without a gap at which at least one rule holds. After a gap, a run starts at its
    first sample; otherwise it starts at the sample before, but at most one spacing earlier. The state is high once a
    run has lasted `sustained` seconds, with a tolerance of TOLERANCE times the spacing. A high-load period starts at
    an onset. It ends at a gap, or after `sustained` seconds in which no rule held (same tolerance).

    Args:
        before: (columns,) result for the row before the new rows; START if there is no such row.
        exceeded_before: True if a rule held at the row before the new rows.
        samples: four arrays (rows,): times, seconds since the sample before (inf after a gap), spacing in seconds,
            and load index (NaN if unknown).
        sustained: seconds for which at least one rule must hold until the state is high.

    Returns:
        (rows, columns) states of the new rows; the column constants of this module name the columns.
    """
    times, elapsed, spacing, index = samples
    exceeded = index >= 1
    states = np.repeat(before[None], len(times), axis=0)
    if before[PERIOD_START] == -np.inf and not np.count_nonzero(exceeded):
        # Fast path if no rule holds and no high-load period is in progress: only the state changes.
        states[:, STATE] = np.where(np.isnan(index), np.nan, 0.0)
        return states
    after_gap = np.isinf(elapsed)
    required = sustained - TOLERANCE * spacing
    run_starts = exceeded & ((_previous(exceeded_before, exceeded) == 0) | after_gap)
    covered = np.where(after_gap, 0.0, np.minimum(elapsed, spacing))
    runs = _last_time(before[RUN_START], run_starts, times - covered)
    state = np.where(exceeded, times - runs >= required, 0.0)
    state[np.isnan(index)] = np.nan
    high = state == 1
    onsets = high & (_previous(before[STATE], state) != 1)
    states[:, STATE] = state
    states[:, RUN_START] = runs
    states[:, LAST_HIGH] = _last_time(before[LAST_HIGH], high, times)
    states[:, LAST_ONSET] = _last_time(before[LAST_ONSET], onsets, times)
    last_onset_before = _previous(before[LAST_ONSET], states[:, LAST_ONSET])
    states[:, PREVIOUS_ONSET] = _last_time(before[PREVIOUS_ONSET], onsets, last_onset_before)
    states[:, LAST_EXCEEDED] = _last_time(before[LAST_EXCEEDED], exceeded, times)
    ends = after_gap | (~exceeded & (times - states[:, LAST_EXCEEDED] >= required))
    states[:, LAST_END] = _last_time(before[LAST_END], ends, times)
    in_period = np.isfinite(states[:, LAST_HIGH]) & (states[:, LAST_HIGH] >= states[:, LAST_END])
    new = in_period & ((_previous(before[PERIOD_START] > -np.inf, in_period) == 0) | ends)
    starts = _last_time(before[PERIOD_START], new, times)
    states[:, PERIOD_START] = np.where(in_period, starts, -np.inf)
    return states


def _previous(before: float, values: Floats | Bools) -> Floats:
    """Return the values (rows,) shifted by one row: the first is `before`, and the last value is dropped."""
    return np.concatenate(((before,), values[:-1]))


def _last_time(before: float, occurs: Bools, times: Floats) -> Floats:
    """Return for each row (rows,) the latest time so far at which `occurs` is True; `before` if there is none."""
    return np.maximum.accumulate(np.concatenate(((before,), np.where(occurs, times, -np.inf))))[1:]
