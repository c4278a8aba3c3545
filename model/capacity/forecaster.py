"""Capacity forecaster: probability that one resource passes its limit, and the expected time of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from model.array_types import Floats, median
from model.capacity.baselines import line_passes, persistence_passes
from model.capacity.excursion_model import ExcursionModel, fit_excursion_model
from model.capacity.excursions import excursions_of
from model.capacity.prior import prior_for
from model.capacity.tasks import LIMIT, PATH_HORIZONS, CapacityTask
from model.capacity.usage_grid import UsageGrid
from model.units import DAY, HOUR

REFIT_INTERVAL = 6 * HOUR
"""Seconds between two fits of a resource with more than a day of history; the first day has four times as many."""

FIRST_REFIT_INTERVAL = HOUR
"""Seconds between two fits of a resource during its first day."""

MIN_PATH_HISTORY = 2 * DAY
"""Shortest history in seconds of a fit for the median path."""

MAX_FULL_SECONDS = 90 * DAY
"""Longest expected time until a file system is full, in seconds; later ones are unknown."""


@dataclass(frozen=True)
class CapacityForecast:
    """Prediction for one resource.

    Attributes:
        probability: probability that the use passes the limit within the horizon, before recalibration; 1 if it is
            at the limit already.
        full_seconds: expected seconds until the limit is passed; None if that is not expected within
            MAX_FULL_SECONDS, 0 if the use is at the limit already.
        predict_linear: prediction of the least-squares line, 0 or 1.
        persistence: prediction that the last excursion repeats itself, 0 or 1.
    """

    probability: float
    full_seconds: float | None
    predict_linear: float
    persistence: float


@dataclass
class CapacityForecaster:
    """Forecaster of one resource; it fits its models when they are due.

    Attributes:
        task: prediction task.
        fitted_at: time of the last fit in seconds; None before it.
    """

    task: CapacityTask
    fitted_at: float | None = None
    _models: dict[float, ExcursionModel] = field(default_factory=dict)

    def forecast(self, grid: UsageGrid, size: float, now: float, limit: float = LIMIT) -> CapacityForecast | None:
        """Return the prediction for the last time of a grid; None if the history is shorter than `min_history`.

        Args:
            grid: use of the resource; its last value is known.
            size: use at which the resource is exhausted, in the unit of the grid; positive.
            now: time of the last value in seconds.
            limit: ratio of the size whose passing is predicted.
        """
        present = float(grid.values[-1])
        margin = limit * size - present
        if margin <= 0:
            return CapacityForecast(probability=1.0, full_seconds=0.0, predict_linear=1.0, persistence=1.0)
        if len(grid.values) * grid.step < self.task.min_history:
            return None
        if self._fit_is_due(grid, now):
            self._models = {}
            self.fitted_at = now
        probability, _ = self._reach(grid, self.task.horizon, size, margin)
        return CapacityForecast(
            probability=probability,
            full_seconds=self._full_seconds(grid, size, margin) if self.task.horizon >= DAY else None,
            predict_linear=line_passes(grid, self.task, limit * size),
            persistence=persistence_passes(grid, self.task, limit * size),
        )

    def _fit_is_due(self, grid: UsageGrid, now: float) -> bool:
        interval = REFIT_INTERVAL if len(grid.values) * grid.step > DAY else FIRST_REFIT_INTERVAL
        return self.fitted_at is None or not 0 <= now - self.fitted_at < interval

    def _reach(self, grid: UsageGrid, horizon: float, size: float, margin: float) -> tuple[float, float]:
        """Return the probability that the excursion within a horizon reaches a margin, and the median excursion."""
        history = self.task.history if horizon == self.task.horizon else max(MIN_PATH_HISTORY, 14 * horizon)
        part = last_steps(grid, grid.steps(history))
        excursions = excursions_of(part, horizon, size)
        model = self._models.get(horizon)
        if model is None:
            model = fit_excursion_model(excursions, part.steps(horizon), prior_for(horizon))
            self._models[horizon] = model
        features = excursions.features[-1]
        activity = float(excursions.activity[-1])
        return model.probability(features, margin / activity), model.median(features) * activity

    def _full_seconds(self, grid: UsageGrid, size: float, margin: float) -> float | None:
        """Return the time at which the median path reaches the margin, in seconds.

        The path passes the median excursions of PATH_HORIZONS. Later, it follows the trend of the days.
        """
        seconds = 0.0
        reached = 0.0
        for horizon in PATH_HORIZONS:
            further = max(reached, self._reach(grid, horizon, size, margin)[1])
            if further >= margin:
                return seconds + (margin - reached) / (further - reached) * (horizon - seconds)
            seconds = horizon
            reached = further
        rate = daily_trend(grid)
        if rate * (MAX_FULL_SECONDS - seconds) < margin - reached:
            return None
        return seconds + (margin - reached) / rate


def last_steps(grid: UsageGrid, steps: int) -> UsageGrid:
    """Return the last steps of a grid."""
    return UsageGrid(grid.step, grid.values[-steps:], grid.peaks[-steps:])


def daily_trend(grid: UsageGrid) -> float:
    """Return the median growth per second between all pairs of days at the present time of day.

    This is the estimator of Theil (1950) and Sen (1968). It is 0 if fewer than two such days are known.
    """
    days = grid.values[::-1][:: grid.steps(DAY)]
    ages = np.flatnonzero(~np.isnan(days))
    known = days[ages]
    later, earlier = np.triu_indices(len(ages), 1)
    if not len(later):
        return 0.0
    slopes: Floats = (known[later] - known[earlier]) / ((ages[earlier] - ages[later]) * DAY)
    return median(slopes)
