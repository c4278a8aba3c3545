"""Alarm thresholds: levels for a false-alarm budget, and the anomaly score from 0 to 1."""

from __future__ import annotations

import math

import numpy as np

from model.anomaly.block_maxima import (
    BLOCKS_PER_MONTH,
    RECURRING_TOLERANCE,
    SLOT_SECONDS,
    SLOTS_PER_BLOCK,
    BlockMaxima,
)
from model.anomaly.detector import Detector
from model.anomaly.scoring.channels import SCORE_PARTS
from model.anomaly.scoring.tails import BlockMaximaTail, LogLogisticTail
from model.array_types import Floats
from model.units import DAY, HOUR

FLATLINE_BUDGET = 0.8
"""False alarms per month that are reserved for the flatline channel."""

BUDGET_SHARES = {"joint": 0.65, "spike": 0.52}
"""Fraction of the remaining budget by channel; the sum exceeds 1, because both often alarm together."""

MIN_BUDGET_SHARES = {"joint": 0.2, "spike": 0.15}
"""Lower bound of the budget by channel, as a fraction of the whole budget."""

NEAR_ALARM = 0.7
"""A score part is near an alarm if its ratio to its alarm threshold is at least this value."""

HABITUATION_DELAY = 3 * HOUR
"""Seconds after which the level of a lasting alarm counts as normal."""

HABITUATION_RESET = HOUR
"""Seconds below NEAR_ALARM after which the level that counts as normal is reset to 0."""

SUPPRESSED_RATIO = 0.5
"""Upper bound of the ratio to the threshold during warm-up, and while the level recurs or counts as normal."""

ALARM_WARM_UP = 12 * HOUR
"""Seconds after the first row in which joint and spike raise no alarm: the averages need several half-lives."""

SCORE_PROBABILITY = 2 / BLOCKS_PER_MONTH
"""Exceedance probability per block at which the score curve is calibrated: twice in 30 days."""

SCORE_FIXED_AFTER = 14 * DAY
"""Seconds of block maxima after which the score curve stays fixed: scores of different days are then comparable."""

SCORE_MARGIN = 1.5
"""With too few blocks for a fit, the score curve is calibrated at this factor times the largest overall part."""

OVERALL = SCORE_PARTS.index("overall")


def alarm_rates(false_alarms_per_month: float) -> dict[str, float]:
    """Return the probability of a false alarm per block for each channel with a score part.

    Args:
        false_alarms_per_month: false-alarm budget of all channels together.
    """
    remaining = max(0.0, false_alarms_per_month - FLATLINE_BUDGET)
    return {
        name: max(MIN_BUDGET_SHARES[name] * false_alarms_per_month, share * remaining) / BLOCKS_PER_MONTH
        for name, share in BUDGET_SHARES.items()
    }


class Habituation:
    """Learned normal level of one score part: the level of an alarm that has lasted HABITUATION_DELAY."""

    def __init__(self) -> None:
        self._exceeded_since = math.nan
        self._last_near = math.nan
        self._level = 0.0

    def update(self, at: float, ratio: float, value: float) -> float:
        """Add a row and return the level that counts as normal; 0 if there is none.

        Args:
            at: time of the row in seconds.
            ratio: ratio of the score part to its alarm threshold.
            value: value of the score part.
        """
        if ratio < NEAR_ALARM:
            is_over = math.isnan(self._last_near) or at - self._last_near >= HABITUATION_RESET
            if is_over:
                self._exceeded_since = math.nan
                self._level = 0.0
            return self._level
        self._last_near = at
        if value <= RECURRING_TOLERANCE * self._level:
            self._exceeded_since = math.nan
        elif math.isnan(self._exceeded_since):
            self._exceeded_since = at if ratio >= 1 else math.nan
        elif at - self._exceeded_since >= HABITUATION_DELAY:
            self._level = value
            self._exceeded_since = math.nan
        return self._level


class AlarmThresholds:
    """Alarm thresholds and score curve of one host, refitted daily on the block maxima of the last 30 days."""

    def __init__(self, detector: Detector, false_alarms_per_month: float) -> None:
        """Initialize with the slot maxima that are stored with a detector.

        Args:
            detector: fitted detector with the slot maxima of its history.
            false_alarms_per_month: false-alarm budget of all channels together.
        """
        self.block_maxima = BlockMaxima(len(SCORE_PARTS))
        for slot, values in zip(detector.slots.tolist(), detector.slot_maxima, strict=True):
            self.block_maxima.add(slot, values)
        self._first_slot = int(detector.slots[0]) if len(detector.slots) else None
        self._rates = alarm_rates(false_alarms_per_month)
        self._habituations = {name: Habituation() for name in self._rates}
        self._tails: list[BlockMaximaTail | None] = [None] * len(SCORE_PARTS)
        self._score_curve: LogLogisticTail | None = None
        self._recurring: Floats = np.zeros(len(SCORE_PARTS))
        self._started_at = math.inf
        self._slot: int | None = None
        self._day: int | None = None

    def update(self, at: float, parts: Floats) -> dict[str, float]:
        """Add the score parts of a row and compare them with the thresholds.

        Args:
            at: time of the row in seconds.
            parts: (score parts,) in the order of SCORE_PARTS.

        Returns:
            Ratio of the score part to its threshold for each of the channels joint and spike; 1 or more is an alarm.
            At most SUPPRESSED_RATIO during the warm-up, and while the level recurs or counts as normal.
        """
        slot = int(at // SLOT_SECONDS)
        if slot != self._slot:
            self._start_slot(slot, at)
        is_warm = at - self._started_at >= ALARM_WARM_UP
        if is_warm:
            self.block_maxima.add(slot, parts)
        ratios = {}
        for name, rate in self._rates.items():
            i = SCORE_PARTS.index(name)
            tail = self._tails[i]
            value = float(parts[i])
            ratio = 0.0 if tail is None else value / tail.return_level(rate)
            normal_level = max(self._recurring[i], self._habituations[name].update(at, ratio, value))
            is_normal = value <= RECURRING_TOLERANCE * normal_level
            ratios[name] = ratio if is_warm and not is_normal else min(ratio, SUPPRESSED_RATIO)
        return ratios

    def score(self, parts: Floats) -> float:
        """Return the anomaly score (0 to 1) of score parts (parts,); NaN if there is no score curve."""
        if self._score_curve is None:
            return math.nan
        return 1.0 - self._score_curve.exceedance_probability(float(parts[OVERALL]))

    def refit(self, at: float) -> None:
        """Fit thresholds and score curve on the block maxima before `at` (seconds since the epoch).

        An existing score curve is kept if the block maxima cover more than SCORE_FIXED_AFTER.
        """
        slot = int(at // SLOT_SECONDS)
        self._tails = self.block_maxima.fit_tails(slot, keep_recurring=(OVERALL,))
        covered = 0.0
        if self._first_slot is not None:
            covered = (slot - slot % SLOTS_PER_BLOCK - self._first_slot) * SLOT_SECONDS
        if self._score_curve is None or covered <= SCORE_FIXED_AFTER:
            self._score_curve = self._fit_score_curve()

    @property
    def levels(self) -> dict[str, float]:
        """Alarm threshold for each of the channels joint and spike; NaN if there are too few blocks for a fit."""
        tails = dict(zip(SCORE_PARTS, self._tails, strict=True))
        return {
            name: math.nan if (tail := tails[name]) is None else tail.return_level(rate)
            for name, rate in self._rates.items()
        }

    def _start_slot(self, slot: int, at: float) -> None:
        """Look up the recurring level of a new slot; refit the thresholds at the first slot of a day."""
        self._slot = slot
        self._started_at = min(self._started_at, at)
        if self._first_slot is None:
            self._first_slot = slot
        day = int(at // DAY)
        if self._day != day:
            self._day = day
            self.refit(at)
        self._recurring = self.block_maxima.recurring_level(slot)

    def _fit_score_curve(self) -> LogLogisticTail | None:
        """Fit the score curve to the level that block maxima exceed with SCORE_PROBABILITY; None if the level is 0.

        The level is the return level of the overall tail. If there is no tail, the level is SCORE_MARGIN times the
        largest overall maximum.
        """
        tail = self._tails[OVERALL]
        if tail is None:
            level = SCORE_MARGIN * float(self.block_maxima.maximum[OVERALL])
        else:
            level = tail.return_level(SCORE_PROBABILITY)
        return LogLogisticTail(level, SCORE_PROBABILITY) if level > 0 else None
