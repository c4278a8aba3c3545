"""From readings to stretches of time: an anomaly begins, goes on, and ends, and does not flap."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from model.anomaly.watch import Reading
from model.units import HOUR

RELEASED = 0.7
"""An anomaly goes on while a channel is at least so near to an alarm (ratio)."""

QUIET = HOUR / 2
"""Seconds without that after which it has ended; it lasts at least as long."""


@dataclass(frozen=True)
class Episode:
    """A stretch of time: `ratio`, `shares` by metric and `peak`, the score, are those of `peak_at`."""

    began_at: float
    until: float
    channel: str
    peak: float
    peak_at: float
    ratio: float
    shares: dict[str, float]
    ended: bool = False


def followed(episode: Episode | None, reading: Reading, metrics: tuple[str, ...], step: float) -> Episode | None:
    """What there is after a reading: the episode that goes on, has ended or has begun, or None.

    Args:
        episode: that goes on, or None.
        reading: the next row.
        metrics: names of its shares.
        step: seconds of a row.
    """
    at = reading.at + step
    if episode is None:
        if not reading.alarm:
            return None
        return Episode(reading.at, at, reading.channel, *_peak(reading), reading.ratio, _named(reading, metrics))
    if reading.ratio >= RELEASED and reading.present >= 1:
        episode = replace(episode, until=at)
    elif at - episode.until >= QUIET:
        return replace(episode, ended=True)
    if reading.ratio > episode.ratio:
        peak, peak_at = _peak(reading)
        shares = _named(reading, metrics)
        episode = replace(episode, peak=peak, peak_at=peak_at, ratio=reading.ratio, shares=shares)
    return episode


def _peak(reading: Reading) -> tuple[float, float]:
    return 0.0 if math.isnan(reading.score) else reading.score, reading.at


def _named(reading: Reading, metrics: tuple[str, ...]) -> dict[str, float]:
    """The shares worth naming, the largest first."""
    named = sorted(zip(metrics, reading.shares.tolist(), strict=True), key=lambda one: -one[1])
    return {name: round(share, 4) for name, share in named if share > 0}
