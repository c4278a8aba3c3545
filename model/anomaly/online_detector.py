"""The present held against the past, row by row: a score, and an alarm at the rate that was asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from model.anomaly.detector import FARTHEST, HOLE, SCORE_PARTS, Detector
from model.anomaly.flatline import StuckRule
from model.anomaly.forecaster import REACH
from model.anomaly.mahalanobis import ALONE
from model.anomaly.scoring import Evidence
from model.anomaly.tails import BlockMaximaTail, Rarity
from model.anomaly.thresholds import MONTH, MORE_THAN_ROUTINE, SLOT_SECONDS, SLOTS_PER_BLOCK, BlockMaxima
from model.array_types import Floats, Integers
from model.units import DAY, HOUR

STUCK_BUDGET = 0.8
"""False alarms a month that the rule for stuck values is left."""

JOINT_SHARE, SPIKE_SHARE = 0.65, 0.52
"""Shares of the rest for the other channels; they add up to more than 1, for they often alarm together."""

LEAST_SHARES = (0.2, 0.15)
"""What they have of a budget at least."""

SETTLED = 14 * DAY
"""Seconds of evidence after which the measure of the score stays as it is, so that one day's is like another's."""

ONCE_A_FORTNIGHT = 2 / MONTH
"""The probability, of a peak, by which the score is measured."""

ENOUGH = 1.5
"""Times the largest evidence that was ever seen."""

MODERATE = 0.5
"""How near to an alarm comes what is known (ratio)."""

WARM = 12 * HOUR
"""Seconds of rows before which means of hours are of too little: nothing alarms, and nothing is remembered."""

LASTS = 3 * HOUR
"""Seconds of an alarm after which it is known: what stays as it is has been said."""

OVER = HOUR
"""Seconds without anything near an alarm after which it is forgotten again."""

NEAR = 0.7
"""What is near (ratio)."""


def alarm_rates(false_alarms_per_month: float) -> list[float]:
    """The probability that each channel's alarm may have in six ordinary hours: joint, then spike."""
    rest = max(0.0, false_alarms_per_month - STUCK_BUDGET)
    return [
        max(least * false_alarms_per_month, share * rest) / MONTH
        for share, least in zip((JOINT_SHARE, SPIKE_SHARE), LEAST_SHARES, strict=True)
    ]


@dataclass(frozen=True)
class DetectorReading:
    """One row: `score` (0 to 1, NaN while too little was seen), how near each channel is to an alarm (1: it is one).

    `score` is the probability that six ordinary hours do not bring as much evidence. `present` is how strange the
    last minutes are by themselves (1: as one row of a hundred), for evidence of hours outlives what it is of.
    `shares` (metrics,) of the metrics add up to 1.
    """

    at: float
    score: float
    threshold_ratios: dict[str, float]
    short_term_ratio: float
    contributions: Floats

    @property
    def channel(self) -> str:
        """The channel nearest to an alarm."""
        return max(self.threshold_ratios, key=lambda name: self.threshold_ratios[name])

    @property
    def threshold_ratio(self) -> float:
        """How near it is."""
        return self.threshold_ratios[self.channel]

    @property
    def alarm(self) -> bool:
        """Whether this is one: enough has been gathered, and it goes on."""
        return self.threshold_ratio >= 1 and self.short_term_ratio >= 1


class _Said:
    """What a channel has alarmed of for so long that it is known."""

    def __init__(self) -> None:
        self._since = self._last = math.nan
        self._most = 0.0

    def known(self, at: float, ratio: float, evidence: float) -> float:
        """As much evidence as has been alarmed of for long enough by now; 0 for none."""
        if ratio < NEAR:
            if not at - self._last < OVER:
                self._since, self._most = math.nan, 0.0
            return self._most
        self._last = at
        if evidence <= MORE_THAN_ROUTINE * self._most:
            self._since = math.nan
        elif math.isnan(self._since):
            self._since = at if ratio >= 1 else math.nan
        elif at - self._since >= LASTS:
            self._most, self._since = evidence, math.nan
        return self._most


class OnlineDetector:
    """Follows one host with a detector. Rows come in order of time."""

    def __init__(self, detector: Detector, false_alarms_per_month: float) -> None:
        """Remembers of the past what the detector has kept of it; give it the last days' rows to get into step.

        Args:
            detector: learned on this host.
            false_alarms_per_month: that are allowed.
        """
        self.detector = detector
        metrics = len(detector.mean)
        self._rates = alarm_rates(false_alarms_per_month)
        self.peaks = BlockMaxima(len(SCORE_PARTS))
        for slot, values in zip(detector.slots.tolist(), detector.peaks, strict=True):
            self.peaks.add(slot, values)
        self._first_slot = int(detector.slots[0]) if len(detector.slots) else None
        self._evidence = Evidence(metrics, detector.step)
        self._stuck = StuckRule(detector.runs, detector.step, false_alarms_per_month)
        self._before = np.zeros((max(REACH, ALONE), metrics))
        self._absent: Integers = np.full(metrics, REACH)
        self._since: Integers = np.zeros(metrics, np.int64)
        self._row: int | None = None
        self._began = math.inf
        self._slot: int | None = None
        self._day: int | None = None
        self._routine: Floats = np.zeros(len(SCORE_PARTS))
        self._tails: list[BlockMaximaTail | None] = [None] * len(SCORE_PARTS)
        self._rarity: Rarity | None = None
        self._said = [_Said() for _ in self._rates]

    def step(self, at: float, values: Floats) -> DetectorReading | None:
        """Takes in a row.

        Args:
            at: the seconds at which it begins.
            values: (columns,), NaN where missing.

        Returns:
            None where nothing can be said of it: no metric has been there for long enough.

        Raises:
            ValueError: the row is not after the one before.
        """
        number = round(at / self.detector.step)
        if self._row is not None:
            if number <= self._row:
                raise ValueError("rows must come in order of time")
            for _ in range(min(number - self._row - 1, REACH)):
                self._push(np.full(len(self._absent), np.nan), self._before[-1])
        self._row = number
        x, z = self.detector.scaled(values[None])
        return self._read(at, x[0], z[0])

    def _push(self, z: Floats, otherwise: Floats) -> Floats:
        """One more row of the past, (metrics,) with `otherwise` in place of NaN, which it returns."""
        there = ~np.isnan(z)
        row = np.where(there, z, otherwise)
        self._before[:-1] = self._before[1:]
        self._before[-1] = row
        self._since = np.where(there, np.where(self._absent > HOLE, 0, self._since + 1), self._since)
        self._absent = np.where(there, 0, self._absent + 1)
        return row

    def _read(self, at: float, x: Floats, z: Floats) -> DetectorReading | None:
        detector = self.detector
        foreseen = detector.forecaster(self._before[-REACH:].reshape(1, -1))[0]
        errors = np.concatenate((z, z)) - foreseen
        # what is missing is thought to go on as was foreseen: standing still would be news to the other metrics
        row = self._push(z, np.minimum(np.maximum(foreseen[: len(z)], -FARTHEST), FARTHEST))
        heard = ~np.isnan(z) & (self._since >= REACH)
        stuck, each = self._stuck(x)
        if not heard.any():
            return None
        known = np.concatenate((heard, heard))[None]
        squared = self._evidence.squared(np.where(known, errors, 0.0), known, detector.constants.scales)
        rows = detector.level.rows
        distance = detector.level(self._before[-rows:].reshape(1, -1) if rows > 1 else row[None])
        means = self._evidence.means(squared, known, distance, np.ones(1, bool))
        found = self._evidence.found(means, self._evidence.singles(squared, known), heard[None], detector.constants)
        values = np.array([found.joint[0], found.spike[0], found.overall[0]])
        ratios = self._ratios(at, values)
        ratios["flatline"] = stuck
        score = np.nan if self._rarity is None else 1.0 - self._rarity(float(values[2]))
        shares = each if max(ratios, key=lambda name: ratios[name]) == "flatline" else found.metrics[0]
        total = shares.sum()
        shares = shares / total if total > 0 else np.full(len(shares), 1.0 / len(shares))
        return DetectorReading(at, score, ratios, max(float(found.present[0]), stuck), shares)

    def _ratios(self, at: float, values: Floats) -> dict[str, float]:
        """How near the evidence (channels,) comes to an alarm, and remembers it."""
        slot = int(at // SLOT_SECONDS)
        if slot != self._slot:
            self._slot = slot
            self._began = min(self._began, at)
            if self._first_slot is None:
                self._first_slot = slot
            if self._day != int(at // DAY):
                self._day = int(at // DAY)
                self.renew(at)
            self._routine = self.peaks.routine(slot)
        warm = at - self._began >= WARM
        if warm:
            self.peaks.add(slot, values)
        found = {}
        for i, rate in enumerate(self._rates):
            tail = self._tails[i]
            ratio = 0.0 if tail is None else float(values[i]) / tail.reached(rate)
            known = max(self._routine[i], self._said[i].known(at, ratio, float(values[i])))
            usual = not warm or values[i] <= MORE_THAN_ROUTINE * known
            found[SCORE_PARTS[i]] = min(ratio, MODERATE) if usual else ratio
        return found

    def renew(self, at: float) -> None:
        """Measures alarms anew by the peaks of the last 30 days before a moment (seconds)."""
        slot = int(at // SLOT_SECONDS)
        overall = SCORE_PARTS.index("overall")
        self._tails = self.peaks.tails(slot, plain=(overall,))
        seen = 0.0 if self._first_slot is None else (slot - slot % SLOTS_PER_BLOCK - self._first_slot) * SLOT_SECONDS
        if self._rarity is None or seen <= SETTLED:
            tail = self._tails[overall]
            # with too few peaks for a tail the largest of all has to do: an order, if not yet a rate
            measure = ENOUGH * self.peaks.largest[overall] if tail is None else tail.reached(ONCE_A_FORTNIGHT)
            self._rarity = Rarity(measure, ONCE_A_FORTNIGHT) if measure > 0 else None

    @property
    def thresholds(self) -> dict[str, float]:
        """The evidence that each channel's alarm needs; NaN while too little was seen."""
        return {
            name: np.nan if tail is None else tail.reached(rate)
            for name, tail, rate in zip(SCORE_PARTS, self._tails, self._rates, strict=False)
        }
