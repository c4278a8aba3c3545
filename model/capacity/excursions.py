"""Excursions: growth up to the maximum within a horizon, and its predictors.

The excursion at a time is the largest use within the horizon minus the present use. A limit is passed if the
excursion reaches the distance to the limit. Excursions do not depend on the limit, so that a file system which was
never full also has thousands of examples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.capacity.usage_grid import UsageGrid, filled_forward, future_maximum, past_maximum
from model.units import DAY

WINDOW_FRACTIONS = (1 / 24, 1 / 8, 1 / 2, 1.0, 7.0)
"""Windows of the growth figures, as fractions of the horizon."""

SEASONS = 7
"""Number of previous days whose excursions at the same time are averaged."""

FEATURES = ("growth_24th", "growth_8th", "growth_half", "growth", "growth_7", "last", "return", "season", "usual")
"""Names of the columns of `Excursions.features`.

Growth over each window extrapolated to the horizon, the last excursion that has passed, the distance to the maximum
of the last horizon, the mean excursion at the same time of previous days, and the mean of all excursions.
"""

FLOOR = 1e-4
"""Smallest activity as a fraction of the size of the resource."""


@dataclass(frozen=True)
class Excursions:
    """Excursions of one resource, and their predictive figures, in units of the activity.

    Dividing by the activity makes resources of any size and pace comparable.

    Attributes:
        features: (n, FEATURES) non-negative figures known at each time; NaN rows where the use is unknown.
        activity: (n,) usual size of an excursion at each time, in the unit of the use.
        excursions: (n,) excursion over the activity; NaN where it is unknown or has not passed.
    """

    features: Floats
    activity: Floats
    excursions: Floats


def excursions_of(grid: UsageGrid, horizon: float, size: float) -> Excursions:
    """Return the excursions and features of each time of a grid with at least one known value.

    Args:
        grid: use of the resource.
        horizon: seconds.
        size: use at which the resource is exhausted, in the unit of the grid.
    """
    k = grid.steps(horizon)
    level = filled_forward(grid.values)
    excursion = np.maximum(future_maximum(grid, k) - level, 0.0)
    passed = _shifted(excursion, k)
    usual = _running_mean(passed)
    growths = [_growth(level, max(1, round(k * fraction)), k) for fraction in WINDOW_FRACTIONS]
    last = np.where(np.isnan(passed), np.where(np.isnan(usual), growths[-1], usual), passed)
    usual = np.where(np.isnan(usual), last, usual)
    back = np.maximum(past_maximum(filled_forward(grid.peaks), k) - level, 0.0)
    season = _seasonal_mean(excursion, grid.steps(DAY), k)
    season = np.where(np.isnan(season), last, season)
    raw = np.stack([*growths, last, back, season, usual], axis=1)
    activity = FLOOR * size + raw.mean(axis=1)
    features = raw / activity[:, None]
    features[np.isnan(grid.values)] = np.nan
    return Excursions(features=features, activity=activity, excursions=excursion / activity)


def _growth(level: Floats, window: int, horizon_steps: int) -> Floats:
    """Return the growth over the last `window` steps, extrapolated to the horizon; 0 for a decrease.

    At the start of the history, the window is what has passed of it.
    """
    index = np.arange(len(level))
    start = np.maximum(index - window, 0)
    elapsed = np.maximum(index - start, 1)
    return np.asarray(np.maximum((level - level[start]) * (horizon_steps / elapsed), 0.0))


def _shifted(values: Floats, steps: int) -> Floats:
    """Return the values (n,) of `steps` steps ago, NaN where there are none."""
    return np.concatenate((np.full(min(steps, len(values)), np.nan), values[:-steps]))


def _running_mean(values: Floats) -> Floats:
    """Return the mean (n,) of the known values up to each position, NaN before the first one."""
    known = ~np.isnan(values)
    count = np.cumsum(known)
    total = np.cumsum(np.where(known, values, 0.0))
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _seasonal_mean(excursion: Floats, day: int, horizon_steps: int) -> Floats:
    """Return the mean excursion (n,) at the same time of the last SEASONS days that have passed; NaN without any."""
    total = np.zeros(len(excursion))
    count = np.zeros(len(excursion))
    for days in range(1, SEASONS + 1):
        if days * day < horizon_steps:
            continue
        earlier = _shifted(excursion, days * day)
        known = ~np.isnan(earlier)
        total += np.where(known, earlier, 0.0)
        count += known
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
