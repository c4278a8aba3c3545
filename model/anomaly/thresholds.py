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
from model.anomaly.scoring.tails import LogLogisticTail, fit_block_maxima
from model.array_types import Floats
from model.units import DAY, HOUR

CHANNELS = ("joint", "spike")
"""Names of the score parts that are alarm channels."""

BUDGET_SHARE = 0.6
"""Fraction of the false-alarm budget for which the thresholds are set.

The rest is for flatline, and for estimation errors: a threshold that is too low adds more alarms than one that is too
high avoids.
"""

NEAR_ALARM = 0.7
"""A score part is near an alarm if its ratio to its alarm threshold is at least this value."""

HABITUATION_DELAY = 3 * HOUR
"""Seconds after which the level of a lasting alarm counts as normal."""

HABITUATION_RESET = HOUR
"""Seconds below NEAR_ALARM after which the level that counts as normal is reset to 0."""

SUPPRESSED_RATIO = 0.5
"""Upper bound of the ratio to the threshold during warm-up, and while the level recurs or counts as normal."""

ALARM_WARM_UP = 12 * HOUR
"""Seconds after the first row in which score parts raise no alarm: the averages need several half-lives."""

SCORE_PROBABILITY = 2 / BLOCKS_PER_MONTH
"""Exceedance probability per block at which the score curve is calibrated: twice in 30 days."""

SCORE_FIXED_AFTER = 14 * DAY
"""Seconds of block maxima after which the score curve stays fixed: scores of different days are then comparable."""

SCORE_MARGIN = 1.5
"""With too few blocks for a fit, the score curve is calibrated at this factor times the largest overall part."""

OVERALL = SCORE_PARTS.index("overall")


def fit_alarm_levels(maxima: Floats, false_alarms_per_month: float) -> dict[str, float]:
    """Fit the alarm thresholds of all channels, which share one false-alarm budget.

    The return level of each channel is multiplied by the return level of the largest ratio of a channel to its level.

    Args:
        maxima: (blocks, score parts) six-hour maxima in the order of SCORE_PARTS.
        false_alarms_per_month: false-alarm budget of all channels together.

    Returns:
        Threshold of each channel; NaN if there are fewer than three blocks.
    """
    rate = BUDGET_SHARE * false_alarms_per_month / BLOCKS_PER_MONTH
    columns = maxima[:, [SCORE_PARTS.index(name) for name in CHANNELS]]
    levels = np.array([_return_level(column, rate) for column in columns.T])
    shared = _return_level((columns / levels).max(axis=1), rate)
    return dict(zip(CHANNELS, (shared * levels).tolist(), strict=True))


def _return_level(maxima: Floats, rate: float) -> float:
    """Return the level that maxima (blocks,) exceed with probability `rate`; NaN if there are fewer than three."""
    tail = fit_block_maxima(maxima)
    return math.nan if tail is None else tail.return_level(rate)


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
    """Alarm thresholds and score curve of one host, refitted daily on the block maxima of the last 30 days.

    Attributes:
        block_maxima: maxima of the score parts.
        levels: alarm threshold of each channel; NaN if there are too few blocks for a fit.
    """

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
        self._false_alarms_per_month = false_alarms_per_month
        self._habituations = {name: Habituation() for name in CHANNELS}
        self.levels = dict.fromkeys(CHANNELS, math.nan)
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
            Ratio of the score part to its threshold for each of CHANNELS; 1 or more is an alarm.
            At most SUPPRESSED_RATIO during the warm-up, and while the level recurs or counts as normal.
        """
        slot = int(at // SLOT_SECONDS)
        if slot != self._slot:
            self._start_slot(slot, at)
        is_warm = at - self._started_at >= ALARM_WARM_UP
        if is_warm:
            self.block_maxima.add(slot, parts)
        ratios = {}
        for name, level in self.levels.items():
            i = SCORE_PARTS.index(name)
            value = float(parts[i])
            ratio = 0.0 if math.isnan(level) else value / level
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
        maxima = self.block_maxima.six_hour_maxima(slot, replace_recurring=True)
        self.levels = fit_alarm_levels(maxima, self._false_alarms_per_month)
        covered = 0.0
        if self._first_slot is not None:
            covered = (slot - slot % SLOTS_PER_BLOCK - self._first_slot) * SLOT_SECONDS
        if self._score_curve is None or covered <= SCORE_FIXED_AFTER:
            self._score_curve = self._fit_score_curve(slot)

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

    def _fit_score_curve(self, slot: int) -> LogLogisticTail | None:
        """Fit the score curve to the level that block maxima exceed with SCORE_PROBABILITY; None if the level is 0.

        The level is the return level of the overall maxima, recurring peaks included. With too few maxima before the
        slot, the level is SCORE_MARGIN times the largest overall maximum.
        """
        maxima = self.block_maxima.six_hour_maxima(slot, replace_recurring=False)
        tail = fit_block_maxima(maxima[:, OVERALL])
        if tail is None:
            level = SCORE_MARGIN * float(self.block_maxima.maximum[OVERALL])
        else:
            level = tail.return_level(SCORE_PROBABILITY)
        return LogLogisticTail(level, SCORE_PROBABILITY) if level > 0 else None
