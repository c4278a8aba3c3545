"""Anomaly events: start, continuation and end of an anomaly, with hysteresis."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from model.array_types import Floats
from model.units import HOUR

RELEASE_RATIO = 0.7
"""An event continues while the ratio of a channel to its alarm threshold is at least this value."""

RELEASE_DELAY = HOUR / 2
"""Seconds without a reading that continues the event, after which the event ends."""

RESTART_FACTOR = 1.5
"""A channel must exceed its residual ratio by this factor to start another event: averages decay slowly."""

MAX_UNOBSERVED = HOUR
"""Seconds without a reading after which an event ends."""


@dataclass(frozen=True)
class DetectorReading:
    """Output of the detector for one row.

    Attributes:
        at: start of the row in seconds since the epoch.
        score: anomaly score, 0 to 1: probability that six hours of normal operation have a lower maximum of the score
            part `overall` (see `SCORE_PARTS`). NaN until its distribution has been fitted.
        threshold_ratios: ratio to the alarm threshold for each channel; 1 or more is an alarm.
        short_term_ratio: larger of two ratios to their limits: `ScoreParts.short_term` and flatline. Below 1, the
            last minutes are normal.
        contributions: (metrics,) attribution of the score to the metrics; they sum to 1.
    """

    at: float
    score: float
    threshold_ratios: dict[str, float]
    short_term_ratio: float
    contributions: Floats

    @property
    def channel(self) -> str:
        """Channel with the largest ratio to its threshold."""
        return max(self.threshold_ratios, key=lambda name: self.threshold_ratios[name])

    @property
    def threshold_ratio(self) -> float:
        """Largest ratio of a channel to its threshold."""
        return self.threshold_ratios[self.channel]

    @property
    def is_alarm(self) -> bool:
        """True if the threshold ratio and the short-term ratio are at least 1."""
        return self.threshold_ratio >= 1 and self.short_term_ratio >= 1

    @property
    def continues_event(self) -> bool:
        """True if the threshold ratio is at least RELEASE_RATIO and the short-term ratio is at least 1."""
        return self.threshold_ratio >= RELEASE_RATIO and self.short_term_ratio >= 1


@dataclass(frozen=True)
class AnomalyEvent:
    """Contiguous anomaly of one host.

    Attributes:
        started_at: start of the first row, in seconds since the epoch.
        ended_at: end of the last row that continued the event, or start of the first row in a maintenance window that
            ended it, in seconds since the epoch.
        channel: channel whose alarm started the event.
        peak: anomaly score of the peak row, the row with the largest threshold ratio; 0 to 1.
        peak_at: start of the peak row, in seconds since the epoch.
        threshold_ratio: largest ratio of a channel to its threshold in the peak row.
        contributions: positive contribution of each metric in the peak row, largest first; they sum to 1 up to
            rounding.
    """

    started_at: float
    ended_at: float
    channel: str
    peak: float
    peak_at: float
    threshold_ratio: float
    contributions: dict[str, float]


class EventChange(StrEnum):
    """Kind of change of an anomaly event."""

    STARTED = "started"
    UPDATED = "updated"
    ENDED = "ended"


@dataclass(frozen=True)
class EventTransition:
    """Change of an anomaly event, and the event after the change."""

    change: EventChange
    event: AnomalyEvent


class EventTracker:
    """State machine of the anomaly events of one host; the input is one reading per row.

    An event starts with an alarm. It ends after half an hour in which no reading continues the event, after an hour
    without readings, or at the start of a maintenance window.

    The long averages, and with them the threshold ratios, stay high for hours after an event. The tracker keeps these
    ratios as residual ratios. A channel must reach RESTART_FACTOR times its residual ratio to start another event.

    Attributes:
        event: event in progress; None if there is none.
    """

    def __init__(self, metrics: tuple[str, ...], step: float) -> None:
        """Initialize without an event.

        Args:
            metrics: names of the metrics, in the order of the contributions of a reading.
            step: row interval in seconds.
        """
        self._metrics = metrics
        self._step = step
        self._residual_ratios: dict[str, float] = {}
        self._observed_until = -math.inf
        self.event: AnomalyEvent | None = None

    def resume(self, event: AnomalyEvent) -> None:
        """Continue an event of an earlier tracker; readings before the start of the event are ignored."""
        self.event = event
        self._observed_until = event.ended_at

    def restore_residual(self, reading: DetectorReading | None) -> None:
        """Initialize the residual ratios from the threshold ratios of a reading that are at least RELEASE_RATIO.

        Call this method if an event ended less than 12 hours before the tracker was created. It has no effect if
        `reading` is None, if the tracker already has residual ratios, or if an event is in progress.
        """
        if self.event is None and not self._residual_ratios and reading is not None:
            self._residual_ratios = _above_release(reading.threshold_ratios)
            self._observed_until = reading.at + self._step

    def update(self, reading: DetectorReading, *, may_start: bool) -> list[EventTransition]:
        """Add the reading of a row and return the changes of the event; empty if there are none.

        Args:
            reading: reading of the row.
            may_start: False if no event may start, as for rows that only warm up the detector.
        """
        if self.event is not None and reading.at < self.event.started_at:
            return []
        self._observed_until = reading.at + self._step
        if self.event is None:
            return self._start(reading) if may_start and self._is_new_alarm(reading) else self._decay(reading)
        return self._continue(self.event, reading)

    def expire(self, at: float) -> list[EventTransition]:
        """End the event if there was no reading in the hour before `at` (seconds since the epoch)."""
        if at - self._observed_until <= MAX_UNOBSERVED:
            return []
        return self._end(self.event)

    def interrupt(self, at: float) -> list[EventTransition]:
        """End the event at `at` (seconds since the epoch), the start of the first row in a maintenance window."""
        if self.event is None:
            return self._end(None)
        if at < self.event.started_at:
            return []
        return self._end(replace(self.event, ended_at=at))

    def _end(self, event: AnomalyEvent | None) -> list[EventTransition]:
        """Clear the event in progress and the residual ratios; return the transition that ends `event`, if any."""
        self.event = None
        self._residual_ratios = {}
        return [] if event is None else [EventTransition(EventChange.ENDED, event)]

    def _new_channels(self, reading: DetectorReading) -> dict[str, float]:
        """Return the threshold ratios that are at least 1 and at least RESTART_FACTOR times the residual ratio."""
        return {
            name: ratio
            for name, ratio in reading.threshold_ratios.items()
            if ratio >= max(1.0, RESTART_FACTOR * self._residual_ratios.get(name, 0.0))
        }

    def _is_new_alarm(self, reading: DetectorReading) -> bool:
        """Return True if a reading is an alarm and `_new_channels` is not empty."""
        return reading.is_alarm and bool(self._new_channels(reading))

    def _start(self, reading: DetectorReading) -> list[EventTransition]:
        channels = self._new_channels(reading)
        self.event = AnomalyEvent(
            started_at=reading.at,
            ended_at=reading.at + self._step,
            channel=max(channels, key=lambda name: channels[name]),
            peak=_score_or_zero(reading),
            peak_at=reading.at,
            threshold_ratio=reading.threshold_ratio,
            contributions=self._contributions(reading),
        )
        self._residual_ratios = {}
        return [EventTransition(EventChange.STARTED, self.event)]

    def _decay(self, reading: DetectorReading) -> list[EventTransition]:
        """Lower the residual ratios to the threshold ratios of a reading; drop ratios below RELEASE_RATIO."""
        ratios = reading.threshold_ratios
        self._residual_ratios = _above_release(
            {name: min(ratio, ratios.get(name, 0.0)) for name, ratio in self._residual_ratios.items()}
        )
        return []

    def _continue(self, event: AnomalyEvent, reading: DetectorReading) -> list[EventTransition]:
        end = reading.at + self._step
        if reading.continues_event:
            event = replace(event, ended_at=end)
        elif end - event.ended_at >= RELEASE_DELAY:
            self.event = None
            self._residual_ratios = dict(reading.threshold_ratios)
            return [EventTransition(EventChange.ENDED, event)]
        has_new_peak = reading.threshold_ratio > event.threshold_ratio
        if has_new_peak:
            event = replace(
                event,
                peak=_score_or_zero(reading),
                peak_at=reading.at,
                threshold_ratio=reading.threshold_ratio,
                contributions=self._contributions(reading),
            )
        self.event = event
        return [EventTransition(EventChange.UPDATED, event)] if has_new_peak else []

    def _contributions(self, reading: DetectorReading) -> dict[str, float]:
        """Return the positive contributions, keyed by metric, rounded to four decimals, largest first."""
        pairs = zip(self._metrics, reading.contributions.tolist(), strict=True)
        descending = sorted(pairs, key=lambda pair: -pair[1])
        return {name: round(share, 4) for name, share in descending if share > 0}


def _above_release(ratios: dict[str, float]) -> dict[str, float]:
    """Return the ratios that are at least RELEASE_RATIO, keyed by channel."""
    return {name: ratio for name, ratio in ratios.items() if ratio >= RELEASE_RATIO}


def _score_or_zero(reading: DetectorReading) -> float:
    return 0.0 if math.isnan(reading.score) else reading.score
