"""Block maxima: half-hour maxima of score parts, recurring peaks, six-hour maxima."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.anomaly.scoring.tails import BlockMaximaTail, fit_block_maxima
from model.array_types import Bools, Floats, Integers, median
from model.units import DAY, HOUR

SLOT_SECONDS = HOUR / 2
"""Length of a slot in seconds. Slots are numbered from the epoch."""

SLOTS_PER_DAY = round(DAY / SLOT_SECONDS)
SLOTS_PER_WEEK = 7 * SLOTS_PER_DAY

SLOTS_PER_BLOCK = 12
"""Number of slots per block; maxima of six hours are nearly independent."""

SLOTS_KEPT = 5 * SLOTS_PER_WEEK + 1
"""Number of slots kept: the current slot and five weeks; the last week is compared with the four weeks before it."""

SLOTS_FITTED = 30 * SLOTS_PER_DAY
"""Number of slots that thresholds are fitted on: the last 30 days."""

BLOCKS_PER_MONTH = SLOTS_FITTED / SLOTS_PER_BLOCK

MIN_OCCURRENCES = 3
"""A level is recurring if it is reached this many times at the same time of the day or week."""

DAYS_COMPARED = 7
"""Number of previous days searched for recurring peaks."""

WEEKS_COMPARED = 4
"""Number of previous weeks searched for recurring peaks."""

RECURRING_TOLERANCE = 1.2
"""A score part of at most this factor times the recurring level counts as recurring."""

NOTABLE_FACTOR = 1.5
"""Recurring peaks above this factor times the tail threshold are replaced by the median for the final fit."""

NEIGHBOURS = np.array([-1, 0, 1])
"""Slot offsets that count as the same time of the day or week."""


class BlockMaxima:
    """Maxima of the score parts per half-hour slot, over the last five weeks."""

    def __init__(self, parts: int) -> None:
        """Initialize without slots; `parts` is the number of score parts."""
        self._values = np.zeros((SLOTS_KEPT, parts))
        self._slots = np.full(SLOTS_KEPT, -SLOTS_KEPT - SLOTS_PER_WEEK)
        self._expected: list[tuple[int, Floats]] = []
        self._excluded: frozenset[int] = frozenset()

    def add(self, slot: int, values: Floats) -> None:
        """Update the maxima of a slot with the score parts (parts,) of a row."""
        index = slot % SLOTS_KEPT
        if self._slots[index] != slot:
            self._slots[index] = slot
            self._values[index] = values
        else:
            np.maximum(self._values[index], values, out=self._values[index])

    def get(self, slot: int) -> Floats | None:
        """Return the maxima (parts,) of a slot; None if the slot has no rows or is no longer kept."""
        index = slot % SLOTS_KEPT
        return self._values[index] if self._slots[index] == slot else None

    @property
    def maximum(self) -> Floats:
        """(parts,) maxima over all slots that are kept."""
        return np.asarray(self._values.max(axis=0))

    def apply_verdicts(self, expected: Sequence[int], excluded: Sequence[int]) -> None:
        """Replace the slots that count as expected, and the slots that are excluded from the fit of thresholds.

        Args:
            expected: numbers of the slots of events with the verdict `expected`; their maxima count as recurring near
                the same time of day. Slots that are no longer kept are ignored.
            excluded: numbers of the slots that are not used to fit thresholds.
        """
        maxima = [(slot, self.get(slot)) for slot in expected]
        self._expected = [(slot, values.copy()) for slot, values in maxima if values is not None]
        self._excluded = frozenset(excluded)

    def recurring_level(self, slot: int) -> Floats:
        """Return the score level (parts,) that is normal at the time of a slot; 0 if none is known.

        It is the largest of: the level that recurs at this time of day, the level that recurs at this time of the
        week, and the maxima of events with the verdict `expected` near this time of day.
        """
        daily = self._recurring_maximum(slot - SLOTS_PER_DAY * np.arange(1, DAYS_COMPARED + 1))
        weekly = self._recurring_maximum(slot - SLOTS_PER_WEEK * np.arange(1, WEEKS_COMPARED + 1))
        level = np.maximum(daily, weekly)
        for expected_slot, values in self._expected:
            if (slot - expected_slot + 1) % SLOTS_PER_DAY <= 2:
                level = np.maximum(level, values)
        return np.asarray(level)

    def _recurring_maximum(self, slots: Integers) -> Floats:
        """Return the highest level (parts,) that is reached in the neighbourhoods of MIN_OCCURRENCES slots.

        Args:
            slots: (n,) slot numbers; the neighbourhood of a slot is the slot and the slots next to it.
        """
        neighbourhoods = (slots[:, None] + NEIGHBOURS).astype(np.int64)
        indices = neighbourhoods % SLOTS_KEPT
        known = self._slots[indices] == neighbourhoods
        maxima = np.where(known[..., None], self._values[indices], 0.0).max(axis=1)
        return np.asarray(np.sort(maxima, axis=0)[-MIN_OCCURRENCES])

    def six_hour_maxima(self, slot: int, *, replace_recurring: bool) -> Floats:
        """Return the six-hour maxima of the 30 days before the block of a slot.

        Args:
            slot: number of the current slot.
            replace_recurring: True to replace recurring peaks by the median of the score part.

        Returns:
            (blocks, parts) maxima of the blocks with rows in at least half of their slots. Excluded slots count as
            slots without rows.
        """
        first = slot - slot % SLOTS_PER_BLOCK
        slots = np.arange(first - SLOTS_FITTED, first)
        indices = slots % SLOTS_KEPT
        known = (self._slots[indices] == slots) & ~np.isin(slots, list(self._excluded))
        values = np.where(known[:, None], self._values[indices], 0.0)
        usable = known.reshape(-1, SLOTS_PER_BLOCK).sum(axis=1) * 2 >= SLOTS_PER_BLOCK
        maxima = _block_maxima(values, usable)
        if replace_recurring:
            for part, tail in enumerate(map(fit_block_maxima, maxima.T)):
                if tail is not None:
                    values[:, part] = self._replace_recurring(slots, values[:, part], part, slot, tail)
            maxima = _block_maxima(values, usable)
        return maxima

    def _replace_recurring(
        self, slots: Integers, series: Floats, part: int, current: int, tail: BlockMaximaTail
    ) -> Floats:
        """Return the maxima of one score part with recurring peaks replaced by the median.

        Args:
            slots: (slots,) slot numbers.
            series: (slots,) maxima of the score part.
            part: index of the score part.
            current: number of the current slot.
            tail: fit to all maxima, recurring peaks included.

        Returns:
            (slots,) maxima for the final fit.
        """
        replaced = series.copy()
        typical = median(series[series > 0]) if series.any() else 0.0
        notable = NOTABLE_FACTOR * tail.threshold
        for i in np.flatnonzero(series > notable):
            age = current - int(slots[i])
            daily = self.recurring_level(current - age % SLOTS_PER_DAY)[part]
            weekly = self.recurring_level(current - age % SLOTS_PER_WEEK)[part]
            # The first occurrences of a recurring job, which scored higher, are replaced as well.
            if max(daily, weekly) >= min(notable, series[i] / RECURRING_TOLERANCE):
                replaced[i] = typical
        return replaced


def _block_maxima(values: Floats, usable: Bools) -> Floats:
    """Return the maxima (blocks, parts) of the usable blocks.

    Args:
        values: (all blocks * SLOTS_PER_BLOCK, parts) maxima in each slot.
        usable: (all blocks,) False for blocks to leave out.
    """
    return np.asarray(values.reshape(len(usable), SLOTS_PER_BLOCK, -1)[usable].max(axis=1))
