"""The largest evidence of each half hour of the last weeks: what alarms are measured by, and what is routine."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from model.anomaly.tails import BlockMaximaTail, fit_block_maxima
from model.array_types import Floats, Integers
from model.units import DAY, HOUR

SLOT_SECONDS = HOUR / 2
"""Seconds of a slot."""

A_DAY, A_WEEK = round(DAY / SLOT_SECONDS), round(7 * DAY / SLOT_SECONDS)
SLOTS_PER_BLOCK = 12
"""Slots of a peak that thresholds are made from: six hours, so that one story is one peak."""

SLOTS_KEPT = 5 * A_WEEK + 1
"""Slots that are remembered: a weekly job must be seen three times to be routine."""

LOOKED_BACK = 30 * A_DAY
"""Slots whose peaks make a threshold."""

MONTH = 30 * A_DAY / SLOTS_PER_BLOCK
"""Blocks of a month."""

OCCURRENCES = 3
"""How often something must have come at a time of day (or week) to be routine there."""

DAYS, WEEKS = 7, 4
"""Among so many of the last days, or weeks."""

MORE_THAN_ROUTINE = 1.2
"""As much as this times what is routine is routine too."""

NOTABLE = 1.5
"""So many times over where a tail starts, evidence that has become routine counts as ordinary: it must not hide
other.
"""

NEIGHBOURS = np.array([-1, 0, 1])


class BlockMaxima:
    """The largest evidence by slot and channel, over the last five weeks. Slots are counted from the epoch."""

    def __init__(self, channels: int) -> None:
        self._values = np.zeros((SLOTS_KEPT, channels))
        self._slots = np.full(SLOTS_KEPT, -SLOTS_KEPT - A_WEEK)
        self._expected: list[tuple[int, Floats]] = []
        self._left_out: frozenset[int] = frozenset()

    def add(self, slot: int, values: Floats) -> None:
        """Takes in evidence (channels,) seen in a slot."""
        here = slot % SLOTS_KEPT
        if self._slots[here] != slot:
            self._slots[here], self._values[here] = slot, values
        else:
            np.maximum(self._values[here], values, out=self._values[here])

    def of(self, slot: int) -> Floats | None:
        """(channels,) the largest of a slot, None where nothing was seen."""
        here = slot % SLOTS_KEPT
        return self._values[here] if self._slots[here] == slot else None

    @property
    def largest(self) -> Floats:
        """(channels,) of all that is remembered."""
        return np.asarray(self._values.max(axis=0))

    def judge(self, expected: Sequence[int], left_out: Sequence[int]) -> None:
        """Takes the operator's word: slots whose evidence is routine from now on, and such as count for nothing."""
        self._expected = [(slot, of.copy()) for slot in expected if (of := self.of(slot)) is not None]
        self._left_out = frozenset(left_out)

    def routine(self, slot: int) -> Floats:
        """(channels,) as much as has come at this time of the day, or of the week, often enough; else 0."""
        daily = self._third(slot - A_DAY * np.arange(1, DAYS + 1))
        found = np.maximum(daily, self._third(slot - A_WEEK * np.arange(1, WEEKS + 1)))
        for known, values in self._expected:
            if (slot - known + 1) % A_DAY <= 2:
                found = np.maximum(found, values)
        return np.asarray(found)

    def _third(self, slots: Integers) -> Floats:
        """The third largest among slots, each with its neighbours."""
        near = (slots[:, None] + NEIGHBOURS).astype(np.int64)
        here = near % SLOTS_KEPT
        there = self._slots[here] == near
        largest = np.where(there[..., None], self._values[here], 0.0).max(axis=1)
        return np.asarray(np.sort(largest, axis=0)[-OCCURRENCES])

    def tails(self, slot: int, *, plain: Collection[int] = ()) -> list[BlockMaximaTail | None]:
        """How often each channel's evidence reaches what, by the six-hour peaks of the last 30 days.

        Args:
            slot: before which.
            plain: channels of which routine is looked at like all else.
        """
        first = slot - slot % SLOTS_PER_BLOCK
        slots = np.arange(first - LOOKED_BACK, first)
        here = slots % SLOTS_KEPT
        seen = (self._slots[here] == slots) & ~np.isin(slots, list(self._left_out))
        blocks = seen.reshape(-1, SLOTS_PER_BLOCK)
        full = blocks.sum(axis=1) * 2 >= SLOTS_PER_BLOCK
        values = np.where(seen[:, None], self._values[here], 0.0)
        found = []
        for channel in range(values.shape[1]):
            tail = (
                fit_block_maxima(values[:, channel].reshape(blocks.shape)[full].max(axis=1)) if full.any() else None
            )
            if tail is not None and channel not in plain:
                known = self._become_routine(slots, values[:, channel], channel, slot, tail)
                tail = fit_block_maxima(known.reshape(blocks.shape)[full].max(axis=1))
            found.append(tail)
        return found

    def _become_routine(
        self, slots: Integers, values: Floats, channel: int, now: int, tail: BlockMaximaTail
    ) -> Floats:
        """Values (slots,), with ordinary ones where notable evidence has become routine at its time."""
        known, ordinary = values.copy(), float(np.median(values[values > 0])) if values.any() else 0.0
        notable = NOTABLE * tail.start
        for i in np.flatnonzero(values > notable):
            since = now - int(slots[i])
            usual = max(self.routine(now - since % A_DAY)[channel], self.routine(now - since % A_WEEK)[channel])
            # a job that has become routine explains its first times too, of which more was made
            if usual >= min(notable, values[i] / MORE_THAN_ROUTINE):
                known[i] = ordinary
        return known
