"""Holt-Winters smoothing of the load index over time buckets, extended sample by sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from model.array_types import Floats, Integers
from model.forecast.blend import fit_load_table
from model.forecast.log_odds import sigmoid
from model.units import DAY

Smoothing = tuple[float, float]
"""Smoothing weights of level and season: the weight of the newest value."""

SMOOTHINGS: tuple[Smoothing, ...] = tuple(product((0.9, 0.5, 0.2), (0.1, 0.3)))
"""Candidates, of which the best on past outcomes is selected."""

HORIZON_POINTS = 12
"""Points within a horizon at which a forecast is evaluated, at most."""


def horizon_offsets(horizon: float, step: float, period: int) -> Integers:
    """Return the offsets, in steps ahead, at which a forecast over a horizon is evaluated.

    Args:
        horizon: seconds.
        step: seconds.
        period: steps of a season; the season of a later offset is taken at the end of the first period.
    """
    offsets = np.unique(np.linspace(1, max(1, round(horizon / step)), HORIZON_POINTS).astype(int))
    return np.asarray(np.minimum(offsets, period))


class SeasonalSmoother:
    """Holt-Winters state of one host for all SMOOTHINGS: a level and an additive daily season (Winters 1960).

    With x' the value less its season: level = w x' + (1 - w) level, season = v (x - level) + (1 - v) season. The
    values are means over closed buckets; the open bucket contributes the value of the sample itself. A bucket without
    a known value changes nothing.
    """

    def __init__(self, width: float, horizons: Sequence[float]) -> None:
        """Create a smoother without history.

        Args:
            width: seconds per bucket.
            horizons: seconds.
        """
        self._width = width
        self._period = max(1, round(DAY / width))
        offsets = [horizon_offsets(horizon, width, self._period) for horizon in horizons]
        self._offsets = np.concatenate(offsets)
        self._horizon_starts = np.cumsum([0, *(len(part) for part in offsets[:-1])])
        self._level_weights = np.array([level for level, _ in SMOOTHINGS])
        self._season_weights = np.array([season for _, season in SMOOTHINGS])
        self._level = np.full(len(SMOOTHINGS), np.nan)
        self._seasons = np.zeros((len(SMOOTHINGS), self._period))
        self._number: int | None = None
        self._total = 0.0
        self._count = 0
        # of the newest rows: load index and bucket; of each of their buckets: level before it, season, season ahead
        self._load_index: Floats = np.zeros(0)
        self._row_buckets: Integers = np.zeros(0, np.intp)
        self._levels_before: Floats = np.zeros((0, len(SMOOTHINGS)))
        self._bucket_seasons: Floats = np.zeros((0, len(SMOOTHINGS)))
        self._seasons_ahead: Floats = np.zeros((0, len(SMOOTHINGS), len(horizons)))

    def extend(self, times: Floats, load_index: Floats) -> None:
        """Append samples.

        Args:
            times: (rows,) seconds since the epoch, later than all previous ones.
            load_index: (rows,) NaN if unknown.
        """
        if len(times) == 1 and int(times[0] // self._width) == self._number:
            self._extend_by_one(load_index)
            return
        numbers = np.floor_divide(times, self._width).astype(np.int64)
        starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
        ends = np.append(starts[1:], len(numbers))
        snapshots = []
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            number = int(numbers[start])
            if number != self._number:
                self._close_bucket()
                self._number = number
            snapshots.append(self._snapshot(number))
            known = load_index[start:end]
            known = known[~np.isnan(known)]
            # in sequence, as if the samples came one by one
            self._total = float(np.cumsum(np.append(self._total, known))[-1])
            self._count += len(known)
        self._load_index = load_index
        self._row_buckets = np.repeat(np.arange(len(starts)), ends - starts)
        self._levels_before, self._bucket_seasons, self._seasons_ahead = (
            np.stack(parts) for parts in zip(*snapshots, strict=True)
        )

    def forecasts(self, rows: Integers) -> Floats:
        """Return the highest forecast within each horizon for some of the rows of the last `extend`.

        Args:
            rows: (n,) indices.

        Returns:
            (smoothings, n, horizons), NaN where the load index is unknown.
        """
        bucket = self._row_buckets[rows]
        now = self._load_index[rows][:, None]
        before = self._levels_before[bucket]
        before = np.where(np.isnan(before), now, before)
        level = before + self._level_weights * (now - self._bucket_seasons[bucket] - before)
        return np.moveaxis(level[:, :, None] + self._seasons_ahead[bucket], 1, 0)

    def _extend_by_one(self, load_index: Floats) -> None:
        """Append a sample (1,) to the open bucket without intermediate arrays: the daemon does so at every sample."""
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

    def _snapshot(self, number: int) -> tuple[Floats, Floats, Floats]:
        """Return level (smoothings,), season (smoothings,) and highest season ahead (smoothings, horizons)."""
        ahead = self._seasons[:, (number + self._offsets) % self._period]
        peaks = np.maximum.reduceat(ahead, self._horizon_starts, axis=1)
        return self._level.copy(), self._seasons[:, number % self._period].copy(), peaks

    def _close_bucket(self) -> None:
        """Update level and season with the mean of the open bucket, if there is one."""
        if self._number is not None and self._count:
            mean = self._total / self._count
            slot = self._number % self._period
            usual = self._seasons[:, slot].copy()
            if np.isnan(self._level[0]):
                self._level[:] = mean
            self._level += self._level_weights * (mean - usual - self._level)
            usual += self._season_weights * (mean - self._level - usual)
            self._seasons[:, slot] = usual
        self._total = 0.0
        self._count = 0


def _table_probabilities(score: Floats, y: Floats) -> Floats:
    """Return the probabilities (rows,) of scores by the event rates that followed them."""
    return sigmoid(fit_load_table(score, y)(score))


def best_smoothing(
    forecasts: Floats, y: Floats, probabilities: Callable[[Floats, Floats], Floats] = _table_probabilities
) -> int:
    """Return the index of the smoothing with the smallest Brier score on known outcomes.

    Args:
        forecasts: (smoothings, rows).
        y: (rows,) labels, NaN if unknown.
        probabilities: maps forecasts (rows,) and labels (rows,) to probabilities (rows,).
    """
    errors = [float(np.nansum(np.square(probabilities(forecast, y) - y))) for forecast in forecasts]
    return int(np.argmin(errors))
