"""Load states of many hosts: the high-load state machine, one sample per call."""

from __future__ import annotations

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.features import load_states as columns
from model.features.rolling_window import RollingWindow
from model.features.spacing import RECENT_INTERVALS, TOLERANCE, follows_gap


class HostStates:
    """Newest load state and recent sample intervals of each host.

    Attributes:
        values: (columns, hosts) states in the columns of `model.features.load_states`.
        exceeded: (hosts,) True if a rule held at the newest sample.
        newest: (hosts,) time of the newest sample in seconds since the epoch; -inf if there is none.
    """

    def __init__(self, hosts: int, step: float, sustained: float) -> None:
        """Create the states before the first sample.

        Args:
            hosts: number of hosts.
            step: seconds that the first sample of a host covers.
            sustained: seconds for which a rule must hold.
        """
        self._step = step
        self._sustained = sustained
        self.values = np.empty((len(columns.START), hosts))
        self.exceeded: Bools = np.zeros(hosts, bool)
        self.newest = np.empty(hosts)
        self._intervals = np.zeros((RECENT_INTERVALS, hosts))
        self._rows: Integers = np.zeros(hosts, np.int8)
        self.clear(np.arange(hosts))

    def clear(self, hosts: Integers) -> None:
        """Return hosts, by their positions (n,), to the state before the first sample."""
        self.values[:, hosts] = columns.START[:, None]
        self.exceeded[hosts] = False
        self.newest[hosts] = -np.inf
        self._intervals[:, hosts] = 0
        self._rows[hosts] = 0

    def take_over(self, host: int, window: RollingWindow) -> None:
        """Take over the state of a host from its rolling window.

        Args:
            host: position of the host.
            window: rolling window with at least one sample.
        """
        self.values[:, host] = window.states[-1]
        self.exceeded[host] = window.load_index[-1] >= 1
        self.newest[host] = window.times[-1]
        intervals = np.diff(window.times[-RECENT_INTERVALS - 1 :])
        self._intervals[RECENT_INTERVALS - len(intervals) :, host] = intervals
        self._rows[host] = min(len(window), RECENT_INTERVALS)

    def advance(self, time: float, index: Floats, present: Bools) -> Floats:
        """Append one sample of the present hosts; see `load_states.extend_states` for the rules.

        Args:
            time: seconds since the epoch.
            index: (hosts,) load index, NaN if unknown.
            present: (hosts,) True for hosts with a sample.

        Returns:
            (hosts,) seconds that the sample covers; not defined for the other hosts.
        """
        elapsed = time - self.newest
        spacing = self._spacing(elapsed, present)
        after_gap = follows_gap(elapsed, spacing)
        covered = np.where(after_gap, spacing, elapsed)
        covered[self._rows == 0] = self._step
        states = self._next_states(time, np.where(after_gap, np.inf, elapsed), spacing, index)
        np.copyto(self.values, states, where=present)
        np.copyto(self.exceeded, index >= 1, where=present)
        np.copyto(self.newest, time, where=present)
        self._rows[present] = np.minimum(self._rows[present] + 1, RECENT_INTERVALS)
        return covered

    def _spacing(self, elapsed: Floats, present: Bools) -> Floats:
        """Append the newest interval of the present hosts, and return `sample_spacing` (hosts,) in seconds."""
        shifted = np.concatenate((self._intervals[1:], elapsed[None]))
        np.copyto(self._intervals, shifted, where=present)
        ordered = np.sort(self._intervals, axis=0)
        spacing: Floats = ordered[RECENT_INTERVALS // 2].copy()
        spacing[self._rows == 0] = 0
        for rows in range(1, RECENT_INTERVALS):
            hosts = np.flatnonzero(self._rows == rows)
            if len(hosts):
                known = np.sort(self._intervals[RECENT_INTERVALS - rows :, hosts], axis=0)
                spacing[hosts] = (known[(rows - 1) // 2] + known[rows // 2]) / 2
        return spacing

    def _next_states(self, time: float, elapsed: Floats, spacing: Floats, index: Floats) -> Floats:
        """Return the states (columns, hosts) after a sample; the arguments are as in `load_states.extend_states`."""
        before = self.values
        states = before.copy()
        exceeded = index >= 1
        after_gap = np.isinf(elapsed)
        required = self._sustained - TOLERANCE * spacing
        covered = np.where(after_gap, 0.0, np.minimum(elapsed, spacing))
        starts = exceeded & (~self.exceeded | after_gap)
        runs = np.maximum(before[columns.RUN_START], np.where(starts, time - covered, -np.inf))
        state = np.where(exceeded, time - runs >= required, 0.0)
        state[np.isnan(index)] = np.nan
        high = state == 1
        onsets = high & (before[columns.STATE] != 1)
        states[columns.STATE] = state
        states[columns.RUN_START] = runs
        states[columns.LAST_HIGH][high] = time
        states[columns.PREVIOUS_ONSET][onsets] = before[columns.LAST_ONSET][onsets]
        states[columns.LAST_ONSET][onsets] = time
        states[columns.LAST_EXCEEDED][exceeded] = time
        ends = after_gap | (~exceeded & (time - states[columns.LAST_EXCEEDED] >= required))
        states[columns.LAST_END][ends] = time
        last_high = states[columns.LAST_HIGH]
        in_period = np.isfinite(last_high) & (last_high >= states[columns.LAST_END])
        new = in_period & ((before[columns.PERIOD_START] == -np.inf) | ends)
        states[columns.PERIOD_START][new] = time
        states[columns.PERIOD_START][~in_period] = -np.inf
        return states

    def high_with_dips(self, time: float) -> Bools:
        """Return a mask (hosts,) of the hosts in high load or a short dip of it, see `RollingWindow`."""
        since_exceeded = time - self.values[columns.LAST_EXCEEDED]
        in_period = self.values[columns.PERIOD_START] > -np.inf
        return np.asarray(in_period & (since_exceeded <= columns.SHORT_DIP * self._sustained))
