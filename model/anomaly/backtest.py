"""Rolling-origin evaluation: replay of a trace, and the false-alarm check of a new detector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.anomaly.block_maxima import RECURRING_TOLERANCE, SLOTS_PER_BLOCK, SLOTS_PER_DAY, BlockMaxima
from model.anomaly.detector import Detector, fit_detector
from model.anomaly.events import AnomalyEvent, EventChange
from model.anomaly.online_detector import HostStep, OnlineDetector
from model.anomaly.resampling import resample, row_interval
from model.anomaly.scoring.channels import SCORE_PARTS
from model.anomaly.thresholds import fit_alarm_levels
from model.array_types import Bools, Floats, Integers
from model.errors import NotEnoughHistoryError
from model.features.dataset import typical_step
from model.features.rows import Rows
from model.units import DAY

TRAINING_WINDOW = 60 * DAY
"""Seconds of history before an origin that a detector is fitted on; older behaviour may no longer be normal."""

WARM_UP = 3 * DAY
"""Seconds of rows that warm up an online detector: six half-lives of the background averages."""

RESIDUAL_WINDOW = DAY / 2
"""Seconds after the end of an event in which the event may still raise the running averages."""

DAYS_BEFORE_CHECK = 7
"""Number of days whose block maxima precede the first checked day."""

POISSON_DEVIATIONS = 3.0
"""Number of Poisson standard deviations by which the alarms may exceed the budget."""

BUDGET_MARGIN = 1.25
"""Factor by which the expected number of alarms may exceed the budget."""


@dataclass(frozen=True)
class AnomalyBacktest:
    """Scores and events from the replay of a test period with detectors fitted on earlier rows.

    Attributes:
        scores: (samples,) anomaly score at each sample of the test period, NaN if unknown.
        events: anomaly events in order of time; the last event may be in progress.
        days: length of the test period in days.
    """

    scores: Floats
    events: tuple[AnomalyEvent, ...]
    days: float


def backtest_detector(
    times: Floats,
    values: Rows,
    columns: Sequence[str],
    until: float,
    interval: float | None,
    false_alarms_per_month: float,
    excluded: Bools | None = None,
) -> AnomalyBacktest:
    """Replay a trace from `until` on, and refit the detector at each origin on the rows before the origin.

    Args:
        times: (samples,) seconds, increasing.
        values: (samples, columns), NaN where missing.
        columns: names of the columns.
        until: first origin, in seconds since the epoch.
        interval: seconds between two origins; None for a single origin.
        false_alarms_per_month: false-alarm budget of all channels together.
        excluded: (samples,) True for a sample to leave out; None for no such sample.

    Raises:
        NotEnoughHistoryError: no detector can be fitted on the samples before `until`.
    """
    step = row_interval(typical_step(times, default=1.0))
    row_times, rows = resample(times, values, step, excluded)
    starts = _first_rows(row_times, until, interval)
    scores = np.full(len(row_times), np.nan)
    run = _RollingRun(row_times, rows, columns, step, false_alarms_per_month)
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(row_times)], strict=True):
        run.refit(start)
        scores[start:end] = run.replay(start, end)
    first = int(np.searchsorted(times, until))
    # If rows are averages of several samples, the score of a row is known at the end of the row.
    delay = step if len(row_times) < len(times) else 0.0
    newest = np.searchsorted(row_times + delay, times[first:], side="right") - 1
    sample_scores = np.where(newest >= 0, scores[np.maximum(newest, 0)], np.nan)
    return AnomalyBacktest(sample_scores, run.events, float(times[-1] - times[first]) / DAY)


def _first_rows(row_times: Floats, until: float, interval: float | None) -> Integers:
    """Return the index (origins,) of the first row at or after each origin.

    Origins are `interval` seconds apart, the first at `until`. An origin without a row before the next origin is
    skipped, so that a row whose time is wrong by years causes one fit, not thousands.
    """
    first = int(np.searchsorted(row_times, until))
    if interval is None or first == len(row_times):
        return np.array([first])
    # A row at an origin belongs to that origin.
    numbers = np.floor_divide(row_times[first:] - until, interval)
    return first + np.flatnonzero(np.diff(numbers, prepend=-1.0))


class _RollingRun:
    """Replay of one trace with an online detector that is refitted at each origin."""

    def __init__(
        self, times: Floats, rows: Floats, columns: Sequence[str], step: float, false_alarms_per_month: float
    ) -> None:
        self._times = times
        self._rows = rows
        self._columns = columns
        self._step = step
        self._false_alarms_per_month = false_alarms_per_month
        self._online: OnlineDetector | None = None
        self._ended: list[AnomalyEvent] = []

    @property
    def events(self) -> tuple[AnomalyEvent, ...]:
        """Ended events, followed by the event in progress, if any."""
        ongoing = None if self._online is None else self._online.event(0)
        return (*self._ended, *(() if ongoing is None else (ongoing,)))

    def refit(self, origin: int) -> None:
        """Fit and warm up a detector on the rows before an origin; keep the previous detector if the fit fails.

        Args:
            origin: index of the first row at or after the origin.

        Raises:
            NotEnoughHistoryError: the first fit fails.
        """
        last = self._times[origin - 1]
        start = int(np.searchsorted(self._times, last - TRAINING_WINDOW)) if origin else 0
        past = slice(start, origin)
        try:
            detector = fit_detector(self._times[past], self._rows[past], self._columns, self._step)
        except NotEnoughHistoryError:
            if self._online is None:
                raise
            return
        online = OnlineDetector([detector], self._false_alarms_per_month)
        ongoing = None if self._online is None else self._online.event(0)
        if ongoing is not None:
            online.resume(0, ongoing)
        self._feed(online, int(np.searchsorted(self._times, last - WARM_UP)), origin, may_start=False)
        if self._ended and self._ended[-1].ended_at >= last - RESIDUAL_WINDOW:
            online.restore_residual(0)
        self._online = online

    def replay(self, start: int, end: int) -> Floats:
        """Return the scores (rows,) of the rows `start` to `end` (exclusive); NaN for a row without a score."""
        if self._online is None:
            return np.full(end - start, np.nan)
        readings = [step.reading for step in self._feed(self._online, start, end, may_start=True)]
        return np.array([np.nan if reading is None else reading.score for reading in readings])

    def _feed(self, online: OnlineDetector, start: int, end: int, *, may_start: bool) -> list[HostStep]:
        """Feed a range of rows to a detector, record the events that end, and return the result of each row."""
        rows = slice(start, end)
        steps = [step for (step,) in online.replay(self._times[rows], self._rows[rows, None], may_start=may_start)]
        transitions = [transition for step in steps for transition in step.transitions]
        self._ended += [transition.event for transition in transitions if transition.change is EventChange.ENDED]
        return steps


@dataclass(frozen=True)
class DetectorValidation:
    """Result of a false-alarm check on the history of a detector; thresholds of a day are fitted on earlier days.

    Attributes:
        alarms: number of six-hour blocks with an alarm; without labels, true and false alarms count alike.
        days: number of days checked.
        allowed: false-alarm budget in alarms per 30 days.
    """

    alarms: int
    days: int
    allowed: float

    @property
    def monthly(self) -> float:
        """Alarms per 30 days; NaN if no day was checked."""
        return self.alarms * 30.0 / self.days if self.days else float("nan")

    @property
    def is_accepted(self) -> bool:
        """True if there are at most 1 + e + POISSON_DEVIATIONS * sqrt(e) alarms.

        e is the accepted mean number of alarms: BUDGET_MARGIN times the budget of the checked days.
        """
        expected = BUDGET_MARGIN * self.allowed * self.days / 30.0
        return self.alarms <= 1 + expected + POISSON_DEVIATIONS * math.sqrt(expected)


def validate_detector(detector: Detector, false_alarms_per_month: float) -> DetectorValidation:
    """Count the alarms of the score parts in a rolling-origin replay of cross-fitted slot maxima.

    Args:
        detector: fitted detector with the slot maxima of its history.
        false_alarms_per_month: false-alarm budget of all channels together.
    """
    maxima = BlockMaxima(len(SCORE_PARTS))
    slots = detector.slots
    alarms = 0
    days = 0
    first_slot = int(slots[0]) if len(slots) else 0
    end_slot = int(slots[-1]) + 1 if len(slots) else 0
    for day_start in range(first_slot, end_slot, SLOTS_PER_DAY):
        in_day = (slots >= day_start) & (slots < day_start + SLOTS_PER_DAY)
        day_slots = slots[in_day].tolist()
        day_values = detector.slot_maxima[in_day]
        is_checked = day_start >= first_slot + DAYS_BEFORE_CHECK * SLOTS_PER_DAY
        if is_checked and day_slots:
            days += 1
            alarms += _count_alarms(maxima, day_slots, day_values, day_start, false_alarms_per_month)
        for slot, values in zip(day_slots, day_values, strict=True):
            maxima.add(slot, values)
    return DetectorValidation(alarms, days, false_alarms_per_month)


def _count_alarms(
    maxima: BlockMaxima, slots: list[int], values: Floats, day_start: int, false_alarms_per_month: float
) -> int:
    """Return the number of blocks of a day with an alarm of a score part.

    A slot maximum is an alarm if it exceeds both the threshold and RECURRING_TOLERANCE times the recurring level.

    Args:
        maxima: block maxima of the earlier days.
        slots: (n,) slot numbers of the day.
        values: (n, score parts) maxima of each slot.
        day_start: number of the first slot of the day.
        false_alarms_per_month: false-alarm budget of all channels together.
    """
    past = maxima.six_hour_maxima(day_start, replace_recurring=True)
    levels = {SCORE_PARTS.index(name): x for name, x in fit_alarm_levels(past, false_alarms_per_month).items()}
    blocks = set()
    for slot, value in zip(slots, values, strict=True):
        recurring = maxima.recurring_level(slot)
        if any(value[i] > np.maximum(level, RECURRING_TOLERANCE * recurring[i]) for i, level in levels.items()):
            blocks.add(slot // SLOTS_PER_BLOCK)
    return len(blocks)
