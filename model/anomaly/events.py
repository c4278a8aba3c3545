"""From readings to stretches of time: an anomaly begins, goes on, and ends, and does not flap."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from model.anomaly.online_detector import DetectorReading
from model.units import HOUR

RELEASED = 0.7
"""An anomaly goes on while a channel is at least so near to an alarm (ratio)."""

QUIET = HOUR / 2
"""Seconds without that after which it has ended; it lasts at least as long."""

MORE = 1.5
"""Times what is left of the evidence of one that has ended is another: evidence of hours outlives what it is of."""


@dataclass(frozen=True)
class AnomalyEvent:
    """A stretch of time: `ratio`, `shares` by metric and `peak`, the score, are those of `peak_at`.

    `left` is, once it has ended, how near an alarm its evidence still is, by channel.
    """

    began_at: float
    until: float
    channel: str
    peak: float
    peak_at: float
    ratio: float
    shares: dict[str, float]
    ended: bool = False
    left: dict[str, float] = field(default_factory=dict)


def next_event(
    episode: AnomalyEvent | None, reading: DetectorReading, metrics: tuple[str, ...], step: float
) -> AnomalyEvent | None:
    """What there is after a reading: the episode that goes on, has ended or has begun, or None.

    Args:
        episode: that goes on, or has ended and left evidence, or None.
        reading: the next row.
        metrics: names of its shares.
        step: seconds of a row.
    """
    at = reading.at + step
    if episode is None or episode.ended:
        return _begun(episode, reading, metrics, at)
    if reading.threshold_ratio >= RELEASED and reading.short_term_ratio >= 1:
        episode = replace(episode, until=at)
    elif at - episode.until >= QUIET:
        return replace(episode, ended=True, left=dict(reading.threshold_ratios))
    if reading.threshold_ratio > episode.ratio:
        peak, peak_at = _peak(reading)
        shares = _named(reading, metrics)
        episode = replace(episode, peak=peak, peak_at=peak_at, ratio=reading.threshold_ratio, shares=shares)
    return episode


def residual_event(reading: DetectorReading | None) -> AnomalyEvent | None:
    """One that has ended, of which nothing is known but that this is what it left; None where it left nothing."""
    left = (
        {}
        if reading is None
        else {name: ratio for name, ratio in reading.threshold_ratios.items() if ratio >= RELEASED}
    )
    at = 0.0 if reading is None else reading.at
    return AnomalyEvent(at, at, "", 0.0, at, 0.0, {}, ended=True, left=left) if left else None


def _begun(
    before: AnomalyEvent | None, reading: DetectorReading, metrics: tuple[str, ...], at: float
) -> AnomalyEvent | None:
    """One that begins with more than what is left of the one before; else that one, as long as it echoes."""
    left = {} if before is None else before.left
    fresh = {
        name: ratio
        for name, ratio in reading.threshold_ratios.items()
        if ratio >= max(1.0, MORE * left.get(name, 0.0))
    }
    if reading.alarm and fresh:
        channel = max(fresh, key=lambda name: fresh[name])
        return AnomalyEvent(
            reading.at, at, channel, *_peak(reading), reading.threshold_ratio, _named(reading, metrics)
        )
    # it only ever gets less: what comes up again is another
    less = {name: min(ratio, reading.threshold_ratios.get(name, 0.0)) for name, ratio in left.items()}
    less = {name: ratio for name, ratio in less.items() if ratio >= RELEASED}
    return replace(before, left=less) if before is not None and less else None


def _peak(reading: DetectorReading) -> tuple[float, float]:
    return 0.0 if math.isnan(reading.score) else reading.score, reading.at


def _named(reading: DetectorReading, metrics: tuple[str, ...]) -> dict[str, float]:
    """The shares worth naming, the largest first."""
    named = sorted(zip(metrics, reading.contributions.tolist(), strict=True), key=lambda one: -one[1])
    return {name: round(share, 4) for name, share in named if share > 0}
