"""Decision table: fallback decisions of several hosts as arrays, applied to all predictions at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.forecast.calibration import Calibration
from model.forecast.log_odds import logit, sigmoid
from model.forecast.online.decisions import FallbackBaseline, FallbackDecision
from model.forecast.online.hysteresis import release_threshold

Place = tuple[int, int, int]
"""Position of a decision in the arrays: host, load state (0 calm, 1 high), horizon."""

LOAD_INDEX = -1
"""Value in place of a smoothing index, for a baseline whose score is the load index."""


class DecisionTable:
    """Fallback decisions of several hosts as arrays, indexed by host, load state (0 calm, 1 high) and horizon."""

    def __init__(self, decisions: Sequence[Sequence[FallbackDecision]], thresholds: Sequence[float]) -> None:
        """Create the table of a predictor.

        Args:
            decisions: for each host, the fallback decision for each horizon.
            thresholds: warning threshold of the model for each horizon; 1 for no warnings.
        """
        shape = (len(decisions), 2, len(thresholds))
        self._slope = np.ones(shape)
        self._intercept = np.zeros(shape)
        self._calibrated: Bools = np.zeros(shape, bool)
        self._replaced: Bools = np.zeros(shape, bool)
        baselines: dict[Place, FallbackBaseline] = {}
        for host, row in enumerate(decisions):
            for horizon, decision in enumerate(row):
                for state, (calibration, baseline) in enumerate(decision.states):
                    place = host, state, horizon
                    self._slope[place] = calibration.slope
                    self._intercept[place] = calibration.intercept
                    self._calibrated[place] = calibration != Calibration()
                    if baseline is not None:
                        self._replaced[place] = True
                        baselines[place] = baseline
        self._any_calibrated = bool(self._calibrated.any())
        self._any_replaced = bool(self._replaced.any())
        self._baselines = _BaselineTables(baselines, shape)
        start = np.asarray(thresholds, dtype=np.float64)
        self._start = np.where(start >= 1, np.inf, start)
        self._end = release_threshold(self._start)

    @property
    def all_calibrations(self) -> tuple[Floats, Floats]:
        """Slope and intercept (hosts, 2, horizons) of the recalibrations, for calm and high load."""
        return self._slope, self._intercept

    def calibrations(self, host: int) -> tuple[Floats, Floats]:
        """Return slope and intercept (2, horizons) of the recalibration of a host, for calm and high load."""
        return self._slope[host], self._intercept[host]

    def apply(
        self,
        probabilities: Floats,
        high: Bools,
        load_index: Floats,
        forecasts: Callable[[], Floats],
        offsets: Floats | None = None,
    ) -> Floats:
        """Apply recalibration, offsets and serving baselines; the results do not decrease with the horizon.

        Args:
            probabilities: (hosts, rows, horizons) probabilities of the model.
            high: (hosts, rows) True during high load.
            load_index: (hosts, rows) NaN if unknown.
            forecasts: returns the Holt-Winters forecasts (hosts, smoothings, rows, horizons); called only if a
                serving baseline uses them.
            offsets: (hosts, rows, 2, horizons) log-odds to add for calm and high load; None for no offsets.

        Returns:
            (hosts, rows, horizons) probabilities.
        """
        shifted = offsets is not None and bool(np.count_nonzero(offsets))
        if not (self._any_calibrated or self._any_replaced or shifted):
            return probabilities
        hosts = np.arange(len(high))[:, None]
        state = high.astype(np.intp)
        published = probabilities
        if self._any_calibrated or shifted:
            z = self._slope[hosts, state] * logit(probabilities) + self._intercept[hosts, state]
            changed = self._calibrated[hosts, state]
            if offsets is not None:
                offset = np.take_along_axis(offsets, state[..., None, None], axis=2)[:, :, 0]
                z = z + offset
                changed = changed | (offset != 0)
            recalibrated = np.where(changed, sigmoid(z), probabilities)
            published = np.maximum.accumulate(recalibrated, axis=2)
        if self._any_replaced:
            replaced = self._replaced[hosts, state]
            if replaced.any():
                host, row, horizon = np.nonzero(replaced)
                scores = self._baselines.scores(host, state[host, row], row, horizon, load_index, forecasts)
                published = published.copy()
                published[replaced] = self._baselines.probabilities(host, state[host, row], horizon, scores)
                published = np.maximum.accumulate(published, axis=2)
        return published

    def thresholds(self, high: Bools) -> tuple[Floats, Floats]:
        """Return the probabilities at which a warning starts, and below which it ends.

        Args:
            high: (hosts, rows) True during high load.

        Returns:
            Two arrays (hosts, rows, horizons), infinite for no warnings.
        """
        shape = (*high.shape, len(self._start))
        # For a few values, a sum is several times faster than `np.broadcast_to`.
        zeros = np.zeros(shape)
        return zeros + self._start, zeros + self._end


class _BaselineTables:
    """Tables of the serving baselines as arrays, padded to equal length."""

    def __init__(self, baselines: Mapping[Place, FallbackBaseline], shape: Place) -> None:
        """Create tables; positions without a baseline remain unused.

        Args:
            baselines: serving baselines, keyed by position.
            shape: numbers of hosts, load states and horizons.
        """
        points = max((len(baseline.table.scores) for baseline in baselines.values()), default=1)
        self._smoothing: Integers = np.full(shape, LOAD_INDEX)
        self._scores = np.full((*shape, points), np.inf)
        self._values = np.zeros((*shape, points))
        self._unknown = np.zeros(shape)
        for place, baseline in baselines.items():
            table = baseline.table
            used = len(table.scores)
            self._scores[(*place, slice(used))] = table.scores
            self._values[(*place, slice(used))] = table.values
            # A table is constant beyond its last point.
            self._values[(*place, slice(used, None))] = table.values[-1]
            self._unknown[place] = table.unknown
            if baseline.smoothing is not None:
                self._smoothing[place] = baseline.smoothing

    def scores(
        self,
        host: Integers,
        state: Integers,
        row: Integers,
        horizon: Integers,
        load_index: Floats,
        forecasts: Callable[[], Floats],
    ) -> Floats:
        """Return the score (n,) of the serving baseline for each of n predictions.

        The index arrays `host`, `state`, `row` and `horizon` (n,) select the predictions. For `load_index` and
        `forecasts` see `DecisionTable.apply`.
        """
        smoothing = self._smoothing[host, state, horizon]
        scores = load_index[host, row]
        smoothed = smoothing != LOAD_INDEX
        if smoothed.any():
            forecast = forecasts()[host, np.maximum(smoothing, 0), row, horizon]
            scores = np.where(smoothed, forecast, scores)
        return scores

    def probabilities(self, host: Integers, state: Integers, horizon: Integers, scores: Floats) -> Floats:
        """Map scores (n,) to probabilities (n,), by linear interpolation of log-odds in the baselines' tables.

        The index arrays `host`, `state` and `horizon` (n,) select the table of each score.
        """
        points = self._scores[host, state, horizon]
        values = self._values[host, state, horizon]
        n = np.arange(len(scores))
        below = np.sum(points <= scores[:, None], axis=1) - 1
        left = np.clip(below, 0, points.shape[1] - 1)
        right = np.minimum(left + 1, points.shape[1] - 1)
        width = points[n, right] - points[n, left]
        rise = values[n, right] - values[n, left]
        slope = np.divide(rise, width, out=np.zeros(len(scores)), where=np.isfinite(width) & (width > 0))
        inside = (below >= 0) & np.isfinite(scores)
        offset = np.where(inside, scores - points[n, left], 0.0)
        interpolated = slope * offset + values[n, left]
        return sigmoid(np.where(np.isnan(scores), self._unknown[host, state, horizon], interpolated))
