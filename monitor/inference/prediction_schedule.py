"""Prediction schedule: samples collected until a forecast is due."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from model.units import MINUTE
from storage import Sample

PREDICTIONS_PER_HORIZON = 60
"""Number of forecasts within the shortest horizon, at most one per sample and at least one per MAX_INTERVAL."""

MAX_INTERVAL = MINUTE
"""Longest time in seconds between two forecasts, unless the samples are further apart."""


def prediction_interval(interval: float, horizons: Iterable[float]) -> float:
    """Return the seconds between two forecasts of a model.

    Args:
        interval: seconds between two samples.
        horizons: horizons of the model in seconds.
    """
    return max(interval, min(MAX_INTERVAL, min(horizons) / PREDICTIONS_PER_HORIZON))


class PredictionSchedule:
    """Samples since the last forecast, and the time of the next one: the first sample of each prediction interval."""

    def __init__(self, interval: float) -> None:
        """Create a schedule whose first sample is due.

        Args:
            interval: seconds between two samples.
        """
        self._interval = interval
        self._waiting: list[Sample] = []
        self._newest_at = -math.inf

    def add(self, sample: Sample, horizons: Sequence[float], *, at_once: bool = False) -> bool:
        """Add a sample, and return True if a forecast is due; call `take` then.

        A forecast is also due after the clock was set back.

        Args:
            sample: the newest sample.
            horizons: horizons of the serving model in seconds.
            at_once: True if a forecast is due in any case.
        """
        is_due = at_once or self._is_due(sample.at, horizons)
        self._newest_at = sample.at
        self._waiting.append(sample)
        return is_due

    def is_due_next(self, horizons: Sequence[float]) -> bool:
        """Return True if a forecast will be due at the sample after the last one."""
        return self._is_due(self._newest_at + self._interval, horizons)

    def take(self) -> list[Sample]:
        """Return the samples since the last call, and forget them."""
        waiting = self._waiting
        self._waiting = []
        return waiting

    def _is_due(self, at: float, horizons: Sequence[float]) -> bool:
        step = prediction_interval(self._interval, horizons)
        # All samples since the last forecast are in one interval.
        return at <= self._newest_at or at // step != self._newest_at // step
