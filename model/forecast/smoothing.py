"""Holt-Winters smoothing: incremental seasonal forecasts of the load index over time buckets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from model.array_types import Floats, Integers, distinct
from model.forecast.blend import fit_load_table
from model.forecast.log_odds import sigmoid
from model.units import DAY

Smoothing = tuple[float, float]
"""Smoothing weights of the level and the seasonal component: weights of the newest value."""

SMOOTHINGS: tuple[Smoothing, ...] = tuple(product((0.9, 0.5, 0.2), (0.1, 0.3)))
"""Candidate smoothing weights; `best_smoothing` selects the pair that was best on past outcomes."""

HORIZON_POINTS = 12
"""Largest number of points within a horizon at which a forecast is evaluated."""


def horizon_offsets(horizon: float, step: float, period: int) -> Integers:
    """Return the offsets (n,), in steps, at which a forecast is evaluated: evenly spaced up to the horizon.

    Args:
        horizon: horizon in seconds; at most HORIZON_POINTS points are evaluated.
        step: seconds per step.
        period: steps per season; longer offsets are clipped to one season.
    """
    offsets = distinct(np.linspace(1, max(1, round(horizon / step)), HORIZON_POINTS).astype(int))
    return np.asarray(np.minimum(offsets, period))


class SeasonalSmoother:
    """Holt-Winters state of one host for all SMOOTHINGS: a level and an additive daily season (Winters 1960).

    Let w and v be the smoothing weights, and x the mean load index of a closed bucket. The bucket updates
    level = w (x - season) + (1 - w) level, then season = v (x - level) + (1 - v) season. A bucket without a known
    value changes nothing. A forecast uses the level before the bucket of the sample, updated with the sample's load
    index as x.
    """

    def __init__(self, width: float, horizons: Sequence[float]) -> None:
        """Create a smoother without history.

        Args:
            width: seconds per bucket.
            horizons: seconds.
        """
        self._width = width
        self._period = max(1, round(DAY / width))
        self._offsets = [horizon_offsets(horizon, width, self._period) for horizon in horizons]
        self._level_weights = np.array([level for level, _ in SMOOTHINGS])
        self._level = np.full(len(SMOOTHINGS), np.nan)
        # Seasonal components of one period of buckets, the open bucket first.
        self._seasons = np.zeros((len(SMOOTHINGS), self._period))
        self._number: int | None = None
        self._total = 0.0
        self._count = 0
        # Per newest row: load index, bucket. Per bucket: previous level, seasonal component, highest component ahead.
        self._load_index: Floats = np.zeros(0)
        self._row_buckets: Integers = np.zeros(0, np.intp)
        self._levels_before: Floats = np.zeros((0, len(SMOOTHINGS)))
        self._bucket_seasons: Floats = np.zeros((0, len(SMOOTHINGS)))
        self._seasons_ahead: Floats = np.zeros((0, len(SMOOTHINGS), len(horizons)))

    def extend(self, times: Floats, load_index: Floats) -> None:
        """Append samples, and update level and season with the buckets that they close.

        Args:
            times: (rows,) seconds since the epoch, increasing and later than all previous times.
            load_index: (rows,) NaN if unknown.
        """
        if len(times) == 1 and int(times[0] // self._width) == self._number:
            self._extend_single(load_index)
            return
        numbers = np.floor_divide(times, self._width).astype(np.int64)
        if self._number is None:
            self._number = int(numbers[0])
        steps = np.diff(numbers, prepend=self._number)
        # Buckets without samples change nothing: gaps are shortened by whole seasons.
        buckets = np.cumsum(np.where(steps == 0, 0, (steps - 1) % self._period + 1))
        means = self._add(buckets, load_index)
        levels, seasons = self._close(means)
        self._number = int(numbers[-1])
        self._load_index = load_index
        self._row_buckets = buckets
        self._levels_before = levels.T
        self._bucket_seasons = seasons[:, : len(means) + 1].T
        self._seasons_ahead = self._highest_ahead(seasons, len(means) + 1)

    def forecasts(self, rows: Integers) -> Floats:
        """Return the highest forecast within each horizon, for samples of the last `extend`.

        Args:
            rows: (n,) positions among the samples of the last `extend`.

        Returns:
            (smoothings, n, horizons), NaN where the load index is unknown.
        """
        bucket = self._row_buckets[rows]
        now = self._load_index[rows][:, None]
        before = self._levels_before[bucket]
        before = np.where(np.isnan(before), now, before)
        level = before + self._level_weights * (now - self._bucket_seasons[bucket] - before)
        return np.moveaxis(level[:, :, None] + self._seasons_ahead[bucket], 1, 0)

    def _extend_single(self, load_index: Floats) -> None:
        """Append the load index (1,) of one sample in the open bucket: the fast path of the daemon."""
        if len(self._row_buckets) > 1:
            self._row_buckets = np.zeros(1, np.intp)
            self._levels_before = self._levels_before[-1:]
            self._bucket_seasons = self._bucket_seasons[-1:]
            self._seasons_ahead = self._seasons_ahead[-1:]
        self._load_index = load_index
        value = float(load_index[0])
        if value == value:  # noqa: PLR0124  False for NaN only; math.isnan costs a call
            self._total += value
            self._count += 1

    def _add(self, buckets: Integers, load_index: Floats) -> Floats:
        """Add samples to buckets, and return the means of the closed buckets.

        Args:
            buckets: (rows,) position of each sample's bucket, 0 for the open bucket; the last bucket stays open.
            load_index: (rows,) NaN if unknown.

        Returns:
            (closed,) means, NaN for a bucket without a known value.
        """
        known = ~np.isnan(load_index)
        places = buckets[known]
        size = int(buckets[-1]) + 1
        # bincount adds in sequence, as if the samples came one by one
        terms = np.append(self._total, load_index[known])
        totals = np.bincount(np.append(0, places), weights=terms, minlength=size)
        counts = np.bincount(places, minlength=size)
        counts[0] += self._count
        self._total = float(totals[-1])
        self._count = int(counts[-1])
        means = np.full(size - 1, np.nan)
        np.divide(totals[:-1], counts[:-1], out=means, where=counts[:-1] > 0)
        return means

    def _close(self, means: Floats) -> tuple[Floats, Floats]:
        """Close buckets: update the level and the seasonal components of each smoothing.

        Args:
            means: (closed,) means of consecutive buckets from the open bucket on, NaN for a bucket without a known
                value.

        Returns:
            The levels (smoothings, closed + 1) before each closed bucket and before the new open bucket, and the
            seasonal components (smoothings, closed + period) of consecutive buckets from the first closed bucket on.
        """
        values = means.tolist()
        levels = []
        seasons = []
        for smoothing, (level_weight, season_weight) in enumerate(SMOOTHINGS):
            level = float(self._level[smoothing])
            before = [level]
            season = self._seasons[smoothing].tolist()
            for i, x in enumerate(values):
                usual = season[i]
                if x == x:  # noqa: PLR0124  False for NaN only; math.isnan costs a call for each bucket
                    level = x if level != level else level  # noqa: PLR0124
                    level += level_weight * (x - usual - level)
                    usual += season_weight * (x - level - usual)
                season.append(usual)
                before.append(level)
            self._level[smoothing] = level
            levels.append(before)
            seasons.append(season)
        seasons_array = np.array(seasons)
        self._seasons = seasons_array[:, len(values) :]
        return np.array(levels), seasons_array

    def _highest_ahead(self, seasons: Floats, buckets: int) -> Floats:
        """Return the largest seasonal component within each horizon after each bucket.

        Args:
            seasons: (smoothings, closed + period) seasonal components of consecutive buckets, from `_close`.
            buckets: number of buckets to evaluate.

        Returns:
            (buckets, smoothings, horizons).
        """
        highest = np.full((len(self._offsets), len(SMOOTHINGS), buckets), -np.inf)
        for horizon, offsets in enumerate(self._offsets):
            for offset in offsets.tolist():
                # The seasonal component a whole period ahead is that of the bucket itself.
                start = offset % self._period
                np.maximum(highest[horizon], seasons[:, start : start + buckets], out=highest[horizon])
        return np.moveaxis(highest, 2, 0).swapaxes(1, 2)


def _table_probabilities(score: Floats, y: Floats) -> Floats:
    """Return the probabilities (rows,) from a load table fitted to the same scores and labels."""
    return sigmoid(fit_load_table(score, y)(score))


def best_smoothing(
    forecasts: Floats, y: Floats, probabilities: Callable[[Floats, Floats], Floats] = _table_probabilities
) -> int:
    """Return the index in SMOOTHINGS of the smoothing whose forecasts yield the smallest Brier score.

    Args:
        forecasts: (smoothings, rows), NaN if unknown.
        y: (rows,) labels, NaN if unknown.
        probabilities: fits a table to forecasts (rows,) and labels (rows,), and returns its probabilities (rows,).
    """
    errors = [float(np.nansum(np.square(probabilities(forecast, y) - y))) for forecast in forecasts]
    return int(np.argmin(errors))
