"""Prediction log: predictions of a model and inputs of the baselines, with outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.features.labels import future_labels
from model.features.spacing import RECENT_INTERVALS
from model.forecast.online.recalibration import MAX_AGE
from model.forecast.smoothing import SMOOTHINGS
from model.units import DAY

EVALUATION_STEP = 300.0
"""Seconds per log entry: predictions at shorter intervals have strongly correlated outcomes."""


@dataclass(frozen=True)
class MaturedPredictions:
    """Predictions of one host with their outcomes, in time order.

    Attributes:
        times: (rows,) seconds since the epoch.
        probabilities: (rows, horizons) probabilities of the model alone, NaN before it served.
        outcomes: (rows, horizons) 1 if high load followed, 0 if not, NaN if unknown.
        high: (rows,) True during high load.
        load_index: (rows,) NaN if unknown.
        forecasts: (smoothings, rows, horizons) Holt-Winters forecasts of the load index.
    """

    times: Floats
    probabilities: Floats
    outcomes: Floats
    high: Bools
    load_index: Floats
    forecasts: Floats


@dataclass(frozen=True)
class LogEntries:
    """New entries of a prediction log, for a subset of the samples that `PredictionLog.add` appends.

    Attributes:
        rows: (n,) positions of the entries among the appended samples.
        probabilities: (n, horizons) probabilities of the model, NaN before it serves.
        load_index: (n,) NaN if unknown.
        forecasts: (smoothings, n, horizons) Holt-Winters forecasts of the load index.
    """

    rows: Integers
    probabilities: Floats
    load_index: Floats
    forecasts: Floats


class PredictionLog:
    """Predictions of one host, at most one per EVALUATION_STEP seconds, with their outcomes.

    An entry is open until a sample at or after the end of its longest horizon is known. Then its outcomes are final.
    """

    def __init__(self, horizons: Sequence[float]) -> None:
        """Create an empty log.

        Args:
            horizons: seconds.
        """
        self._horizons = tuple(horizons)
        self._last_slot = -np.inf
        self._times = np.empty(0)
        self._probabilities = np.empty((0, len(horizons)))
        self._outcomes = np.empty((0, len(horizons)))
        self._high: Bools = np.empty(0, bool)
        self._load_index = np.empty(0)
        self._forecasts = np.empty((len(SMOOTHINGS), 0, len(horizons)))
        self._first_open = 0
        # Samples from the oldest open entry on.
        self._recent_times = np.empty(0)
        self._recent_states = np.empty(0)

    def rows_to_log(self, times: Floats, after: float = -np.inf) -> Integers:
        """Return the positions (n,) of the new samples that need an entry: the first of each EVALUATION_STEP seconds.

        Args:
            times: (rows,) seconds since the epoch, of the new samples.
            after: time (seconds) after which samples get entries.
        """
        slots = times // EVALUATION_STEP
        first = np.diff(slots, prepend=self._last_slot) > 0
        return np.flatnonzero(first & (times > after))

    def add(self, times: Floats, states: Floats, entries: LogEntries) -> None:
        """Append samples and their log entries, and update the outcomes of open entries.

        Args:
            times: (rows,) seconds since the epoch, of all new samples.
            states: (rows,) 1 during high load, 0 otherwise, NaN if unknown.
            entries: entries of the rows that `rows_to_log` returned.
        """
        if not len(times):
            return
        self._last_slot = float(times[-1] // EVALUATION_STEP)
        rows = entries.rows
        self._times = np.append(self._times, times[rows])
        self._high = np.append(self._high, states[rows] == 1)
        self._load_index = np.append(self._load_index, entries.load_index)
        self._probabilities = np.concatenate((self._probabilities, entries.probabilities))
        unknown = np.full((len(rows), len(self._horizons)), np.nan)
        self._outcomes = np.concatenate((self._outcomes, unknown))
        self._forecasts = np.concatenate((self._forecasts, entries.forecasts), axis=1)
        self._recent_times = np.append(self._recent_times, times)
        self._recent_states = np.append(self._recent_states, states)
        self._settle()
        self._drop_old()

    def forget_predictions(self) -> None:
        """Replace all predictions of the model by NaN, and keep the outcomes: another model serves from now on."""
        self._probabilities[:] = np.nan

    def matured(self, now: float, horizons: Sequence[float]) -> MaturedPredictions:
        """Return the entries before `now` that are younger than MAX_AGE; their outcomes may be NaN.

        Args:
            now: seconds since the epoch.
            horizons: horizons of the columns to return, in seconds.
        """
        columns = [self._horizons.index(horizon) for horizon in horizons]
        used = (self._times < now) & (self._times > now - MAX_AGE)
        return MaturedPredictions(
            times=self._times[used],
            probabilities=self._probabilities[used][:, columns],
            outcomes=self._outcomes[used][:, columns],
            high=self._high[used],
            load_index=self._load_index[used],
            forecasts=self._forecasts[:, used][..., columns],
        )

    def _settle(self) -> None:
        """Update the outcomes of open entries, and drop samples that no open entry needs."""
        newest = self._recent_times[-1]
        first = self._first_open
        if first < len(self._times):
            rows = np.searchsorted(self._recent_times, self._times[first:])
            labels = future_labels(self._recent_times, self._recent_states, self._horizons, rows)
            self._outcomes[first:] = labels
            self._first_open = int(np.searchsorted(self._times, newest - max(self._horizons), side="right"))
        oldest = self._times[self._first_open] if self._first_open < len(self._times) else newest
        # The sample spacing at a row depends on RECENT_INTERVALS rows before it.
        start = max(0, int(np.searchsorted(self._recent_times, oldest)) - RECENT_INTERVALS)
        self._recent_times = self._recent_times[start:]
        self._recent_states = self._recent_states[start:]

    def _drop_old(self) -> None:
        """Drop closed entries older than MAX_AGE plus a day, once there are over 1000: a drop copies all arrays."""
        old = int(np.searchsorted(self._times, self._recent_times[-1] - MAX_AGE - DAY))
        old = min(old, self._first_open)
        if old > 1000:
            self._times = self._times[old:]
            self._probabilities = self._probabilities[old:].copy()
            self._outcomes = self._outcomes[old:].copy()
            self._high = self._high[old:]
            self._load_index = self._load_index[old:]
            self._forecasts = self._forecasts[:, old:].copy()
            self._first_open -= old
