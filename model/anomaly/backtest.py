"""A past watched again: learned from what was known, row by row through what then came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.anomaly.detector import fit_detector
from model.anomaly.events import AnomalyEvent, next_event
from model.anomaly.online_detector import OnlineDetector
from model.anomaly.resampling import resample, row_interval
from model.array_types import Floats
from model.errors import NotEnoughHistoryError
from model.features.dataset import typical_step
from model.units import DAY

TRAINING_WINDOW = 60 * DAY
"""Seconds of the newest history that a detector is learned from: habits of a year ago are not this host's."""

WARM_UP = 3 * DAY
"""Seconds of samples by which a watch comes into step: six half-lives of what is usual of late."""


@dataclass(frozen=True)
class AnomalyBacktest:
    """`scores` (rows,) of the moments asked for, NaN where nothing could be said; `events` in the order of time."""

    scores: Floats
    events: tuple[AnomalyEvent, ...]
    days: float


def backtest_detector(
    times: Floats, values: Floats, columns: Sequence[str], until: float, interval: float | None, allowed: float
) -> AnomalyBacktest:
    """Watches the samples from a moment on.

    Args:
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        columns: names.
        until: seconds; the first detector learns from what is before.
        interval: seconds after which the next one is learned; None learns once.
        allowed: false alarms in 30 days.

    Raises:
        NotEnoughHistoryError: no detector can be learned.
    """
    step = row_interval(typical_step(times, default=1.0))
    first = int(np.searchsorted(times, until))
    at, rows = resample(times, values, step)
    begins = np.searchsorted(at, np.arange(until, times[-1] + 1, interval or np.inf) if interval else [until])
    scores, events = np.full(len(at), np.nan), list[AnomalyEvent]()
    watch: OnlineDetector | None = None
    episode: AnomalyEvent | None = None
    for begin, end in zip(begins, [*begins[1:], len(at)], strict=True):
        watch = _learned(at, rows, columns, step, (int(begin), allowed), watch)
        for i in range(int(begin), int(end)):
            reading = watch.step(at[i], rows[i]) if np.isfinite(rows[i]).any() else None
            if reading is None:
                continue
            scores[i] = reading.score
            over = episode is not None and episode.ended
            episode = next_event(episode, reading, watch.detector.metrics, step)
            if episode is not None and episode.ended and not over:
                events.append(episode)
    # a row of several samples is known when it is over
    late = step if len(at) < len(times) else 0.0
    place = np.searchsorted(at + late, times[first:], side="right") - 1
    found = np.where(place >= 0, scores[np.maximum(place, 0)], np.nan)
    days = float(times[-1] - times[first]) / DAY
    return AnomalyBacktest(found, (*events, *(() if episode is None or episode.ended else (episode,))), days)


def _learned(
    at: Floats,
    rows: Floats,
    columns: Sequence[str],
    step: float,
    how: tuple[int, float],
    before: OnlineDetector | None,
) -> OnlineDetector:
    """A watch over a detector of the rows before one, in step; the one before goes on where there cannot be one."""
    begin, allowed = how
    start = int(np.searchsorted(at, at[begin - 1] - TRAINING_WINDOW)) if begin else 0
    try:
        watch = OnlineDetector(fit_detector(at[start:begin], rows[start:begin], columns, step), allowed)
    except NotEnoughHistoryError:
        if before is None:
            raise
        return before
    for i in range(int(np.searchsorted(at, at[begin - 1] - WARM_UP)), begin):
        if np.isfinite(rows[i]).any():
            watch.step(at[i], rows[i])
    return watch
