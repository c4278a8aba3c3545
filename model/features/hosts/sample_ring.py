"""Sample ring: running sums and load index of many hosts, one slot per sampling step.

A host without a sample in a slot keeps its sums. Sums are integers that may overflow: the difference of two sums is
exact as long as it fits into the type, which is chosen for the longest window.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.features.rolling_window import FIXED_POINT, RollingWindow

SUMS = ("index", "square", "exceeded", "brief", "covered", "known")
"""Running sums: load index and its square in grid steps, samples with a load index of at least 1, those of them
outside high load, covered milliseconds, and samples with a known load index.
"""

SHIFT = 1e-9
"""Tolerance on the number of steps in a window, for lengths that are no binary fractions."""


def _smallest_integer(limit: float) -> np.dtype[np.signedinteger]:
    """Return the smallest integer type that holds differences up to `limit`; at least 16 bits."""
    return np.dtype(np.int16 if limit < 2**15 else np.int32 if limit < 2**31 else np.int64)


class SampleRing:
    """Running sums of the load index of many hosts over the last slots.

    Attributes:
        slots: number of slots that are kept.
    """

    def __init__(self, hosts: int, step: float, windows: Sequence[float], load_limit: float, history: float) -> None:
        """Create an empty ring.

        Args:
            hosts: number of hosts.
            step: seconds per slot.
            windows: window lengths in seconds, increasing.
            load_limit: upper limit of the load index.
            history: seconds for which load states are needed.
        """
        self._step = step
        self._lengths = tuple(int(np.ceil(window / step - SHIFT)) for window in windows)
        longest = self._lengths[-1]
        self.slots = max(longest, int(np.ceil(history / step))) + 2
        largest = load_limit * FIXED_POINT
        limits = {
            "index": largest * longest,
            "square": largest * largest * longest,
            "exceeded": longest,
            "brief": longest,
            # A sample covers up to GAP_FACTOR steps before the window.
            "covered": 2000 * (windows[-1] + 10 * step),
            "known": longest,
        }
        self._sums: dict[str, Integers] = {
            name: np.full((self.slots, hosts), 0, _smallest_integer(limits[name])) for name in SUMS
        }
        self._index = np.full((self.slots, hosts), np.nan, np.float32)
        self._states: Integers = np.full((self.slots, hosts), -1, np.int8)
        self.newest = -1

    def clear(self, hosts: Integers) -> None:
        """Remove the samples of hosts, by their positions (n,)."""
        for sums in self._sums.values():
            sums[:, hosts] = 0
        self._index[:, hosts] = np.nan
        self._states[:, hosts] = -1

    def open_slot(self, number: int) -> None:
        """Make a slot the newest one; it and the slots since the newest one have no samples yet.

        Args:
            number: number of the slot, time / step, above `newest`.
        """
        first = max(self.newest + 1, number - self.slots + 1)
        source = self.newest % self.slots
        places = np.arange(first, number + 1) % self.slots
        for sums in self._sums.values():
            sums[places] = sums[source].copy()
        self._index[places] = np.nan
        self._states[places] = -1
        self.newest = number

    def append(self, index: Floats, state: Floats, covered: Floats, present: Bools) -> Integers:
        """Add samples to the newest slot.

        Args:
            index: (hosts,) load index, NaN if unknown.
            state: (hosts,) 1 during high load, 0 otherwise, NaN if unknown.
            covered: (hosts,) seconds that the sample covers.
            present: (hosts,) True for hosts with a sample.

        Returns:
            (hosts,) load index on the fixed-point grid, 0 where it is unknown.
        """
        known = ~np.isnan(index) & present
        grid: Integers = np.where(known, np.rint(np.where(known, index, 0) * FIXED_POINT), 0).astype(np.int64)
        exceeded = known & (index >= 1)
        terms = {
            "index": grid,
            "square": np.square(grid),
            "exceeded": exceeded,
            "brief": exceeded & (state != 1),
            "covered": np.rint(np.where(present, covered, 0) * 1000).astype(np.int64),
            "known": known,
        }
        place = self.newest % self.slots
        for name, term in terms.items():
            sums = self._sums[name]
            sums[place] += term.astype(sums.dtype)
        self._index[place] = np.where(present, index, np.nan)
        self._states[place] = np.where(present & ~np.isnan(state), state, -1)
        return grid

    def take_over(self, host: int, window: RollingWindow) -> None:
        """Take over the samples of a host from its rolling window, whose newest slot is at most `newest`.

        Args:
            host: position of the host.
            window: rolling window without metrics, with at least one sample.
        """
        slots = np.rint(window.times / self._step).astype(np.int64)
        ring = np.arange(self.newest - self.slots + 1, self.newest + 1)
        rows = np.searchsorted(slots, ring, side="right") - 1
        places = ring % self.slots
        running = np.concatenate((window.sums, window.counts), axis=1)
        before = np.zeros(running.shape[1], np.int64) if not window.dropped_rows else running[0]
        values = np.where(rows[:, None] >= 0, running[np.maximum(rows, 0)], before)
        for column, name in enumerate(SUMS):
            sums = self._sums[name]
            sums[places, host] = values[:, column].astype(sums.dtype)
        filled = rows[(rows >= 0) & (slots[np.maximum(rows, 0)] == ring)]
        places = slots[filled] % self.slots
        state = window.state[filled]
        self._index[places, host] = window.load_index[filled]
        self._states[places, host] = np.where(np.isnan(state), -1, state)

    def window_sums(self) -> dict[str, Integers]:
        """Return the sums (windows, hosts) over the windows that end with the newest slot, in int64, by name."""
        newest = self.newest % self.slots
        before = [(self.newest - length) % self.slots for length in self._lengths]
        return {name: (sums[newest] - sums[before]).astype(np.int64) for name, sums in self._sums.items()}

    def extremes(self) -> tuple[Floats, Floats]:
        """Return the maximum and the minimum (windows, hosts) of the load index, float32, NaN if unknown."""
        shape = (len(self._lengths), self._index.shape[1])
        highest = np.empty(shape, np.float32)
        lowest = np.empty(shape, np.float32)
        end = 0
        for window, length in enumerate(self._lengths):
            # Windows are nested: each slot is read once.
            places = (self.newest - np.arange(end, length)) % self.slots
            part = self._index[places]
            end = length
            highest[window] = np.fmax.reduce(part, axis=0)
            lowest[window] = np.fmin.reduce(part, axis=0)
            if window:
                np.fmax(highest[window], highest[window - 1], out=highest[window])
                np.fmin(lowest[window], lowest[window - 1], out=lowest[window])
        return highest, lowest

    def outcomes(self, slots: int) -> Integers:
        """Return the load states (slots, hosts) of the newest slots in time order: 1, 0, or -1 if unknown."""
        return self._states[(self.newest - np.arange(slots)[::-1]) % self.slots]
