"""Whether a detector would have kept to its false alarms on its own past, lived through day by day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.anomaly.detector import SCORE_PARTS, Detector
from model.anomaly.online_detector import alarm_rates
from model.anomaly.thresholds import A_DAY, MORE_THAN_ROUTINE, SLOTS_PER_BLOCK, BlockMaxima
from model.array_types import Floats

SEEN_BEFORE = 7
"""Days of peaks before the first day that is judged."""

BY_CHANCE = 3.0
"""Standard deviations of a Poisson number by which alarms may exceed what is allowed."""

MORE = 1.25
"""Times what is allowed is still as promised."""


@dataclass(frozen=True)
class DetectorValidation:
    """`alarms` in `days` of the past, by thresholds of the days before; what they were of is not known."""

    alarms: int
    days: int
    allowed: float

    @property
    def monthly(self) -> float:
        """Alarms in 30 days; NaN where nothing was judged."""
        return self.alarms * 30.0 / self.days if self.days else float("nan")

    @property
    def refusal(self) -> str:
        """Why such a detector should not serve; empty where it may."""
        expected = MORE * self.allowed * self.days / 30.0
        if self.alarms <= 1 + expected + BY_CHANCE * expected**0.5:
            return ""
        return (
            f"it would have raised {self.alarms} alarms in {self.days} days of its own past, where"
            f" {self.allowed:g} in 30 are allowed"
        )


def validate_detector(detector: Detector, false_alarms_per_month: float) -> DetectorValidation:
    """Lives through the peaks that a detector has kept of its past, each by what was learned from the rest of it."""
    rates, peaks = alarm_rates(false_alarms_per_month), BlockMaxima(len(SCORE_PARTS))
    alarms = days = 0
    slots, values = detector.slots, detector.peaks
    if not len(slots):
        return DetectorValidation(0, 0, false_alarms_per_month)
    first = int(slots[0]) + SEEN_BEFORE * A_DAY
    for begin in range(int(slots[0]), int(slots[-1]) + 1, A_DAY):
        here = (slots >= begin) & (slots < begin + A_DAY)
        if begin >= first and here.any():
            days += 1
            alarms += _alarms(peaks, slots[here].tolist(), values[here], rates, begin)
        for slot, value in zip(slots[here].tolist(), values[here], strict=True):
            peaks.add(slot, value)
    return DetectorValidation(alarms, days, false_alarms_per_month)


def _alarms(peaks: BlockMaxima, slots: list[int], values: Floats, rates: list[float], begin: int) -> int:
    """How many six-hour stretches of a day have an alarm."""
    limits = [
        np.inf if tail is None else tail.reached(rate) for tail, rate in zip(peaks.tails(begin), rates, strict=False)
    ]
    routine = [peaks.routine(slot) for slot in slots]
    over = [
        slot // SLOTS_PER_BLOCK
        for slot, value, known in zip(slots, values, routine, strict=True)
        if any(value[i] > max(limit, MORE_THAN_ROUTINE * known[i]) for i, limit in enumerate(limits))
    ]
    return len(set(over))
