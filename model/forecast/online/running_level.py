"""Running level: log-odds offset that follows recent outcomes within the hour.

Recalibration every six hours cannot follow a host whose load changes within hours. The offset of a horizon and load
state is therefore filtered from the matured predictions, one by one (extended Kalman filter of a random level that
decays towards 0). Correlated outcomes count once, and only the part of the offset beyond its standard error counts.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable

import numpy as np

from model.array_types import Floats, Integers
from model.features.labels import future_labels
from model.features.rolling_window import RollingWindow
from model.features.spacing import RECENT_INTERVALS
from model.forecast.log_odds import logit
from model.forecast.predictor import Predictor
from model.units import DAY, MINUTE

LEVEL_STEP = 5 * MINUTE
"""Seconds per observed prediction: the first one of each LEVEL_STEP seconds is compared with its outcome."""

BLOCK_SECONDS = 30 * MINUTE
"""Shortest block length in seconds; a block lasts at least one horizon, and counts as one observation."""

HALF_LIFE = 4 * DAY
"""Seconds after which the offset is halved if no outcome is known."""

VARIANCE = 4.0
"""Variance of the offset before any outcome, in squared log-odds, for horizons up to SHORT_HORIZON."""

SHORT_HORIZON = 15 * MINUTE
"""Longest horizon in seconds with the full variance. Beyond it the variance is proportional to 1 / horizon, because
outcomes that arrive late describe a level that has passed.
"""

SHRINKAGE = 0.7
"""Number of standard errors by which the offset is reduced towards 0."""

MAX_OFFSET = 8.0
"""Largest absolute offset in log-odds."""

MEMORY = 4 * DAY
"""Seconds of predictions from which the offset is computed again after a recalibration."""


class LevelFilter:
    """Offset of one horizon and load state: mean and variance of a level that decays towards 0."""

    def __init__(self, horizon: float) -> None:
        """Create a filter that has observed nothing.

        Args:
            horizon: seconds.
        """
        self._weight = LEVEL_STEP / max(horizon, BLOCK_SECONDS)
        self._prior = VARIANCE * min(1.0, SHORT_HORIZON / horizon)
        self._mean = 0.0
        self._variance = self._prior

    @property
    def offset(self) -> float:
        """Offset to add to the log-odds: the mean, reduced by SHRINKAGE standard errors."""
        size = abs(self._mean) - SHRINKAGE * math.sqrt(self._variance)
        return math.copysign(size, self._mean) if size > 0 else 0.0

    def decay(self, seconds: float) -> None:
        """Let the level decay for a time, during which its variance returns to that before any outcome."""
        kept = 0.5 ** (seconds / HALF_LIFE)
        self._mean *= kept
        self._variance = kept * kept * self._variance + (1 - kept * kept) * self._prior

    def observe(self, z: float, y: float) -> None:
        """Update the level by the outcome y (0 or 1) of a prediction with log-odds z, without the offset."""
        p = 1 / (1 + math.exp(-(z + self._mean)))
        self._variance = 1 / (1 / self._variance + self._weight * p * (1 - p))
        mean = self._mean + self._variance * self._weight * (y - p)
        self._mean = min(max(mean, -MAX_OFFSET), MAX_OFFSET)


def level_offsets(times: Floats, z: Floats, y: Floats, horizon: float) -> Floats:
    """Return the offset (rows,) at each prediction, from the outcomes known by then.

    Args:
        times: (rows,) seconds, increasing.
        z: (rows,) log-odds of the predictions.
        y: (rows,) outcomes, none unknown.
        horizon: seconds.
    """
    level = LevelFilter(horizon)
    offsets = np.zeros(len(times))
    first_open = 0
    for row in range(1, len(times)):
        level.decay(float(times[row] - times[row - 1]))
        while times[first_open] + horizon <= times[row]:
            level.observe(float(z[first_open]), float(y[first_open]))
            first_open += 1
        offsets[row] = level.offset
    return offsets


class RunningLevel:
    """Offsets of one host, from the predictions of one model and their outcomes.

    Attributes:
        offsets: (2, horizons) log-odds to add at the newest sample, for calm and high load.
    """

    def __init__(self, predictor: Predictor) -> None:
        """Create the state before the first prediction.

        Args:
            predictor: the model; predictions in its training history are not observed.
        """
        fitted_until = predictor.fitted_until
        self._fitted_until = -math.inf if fitted_until is None else fitted_until
        self._horizons = predictor.horizons
        self._slope: Floats = np.ones((2, len(self._horizons)))
        self._intercept: Floats = np.zeros((2, len(self._horizons)))
        self._last_slot = -math.inf
        # Observed predictions in time order: time, load state, log-odds of the model, and outcomes, NaN if unknown.
        self._times: list[float] = []
        self._states: list[int] = []
        self._logits: list[Floats] = []
        self._outcomes: list[Floats] = []
        self._restart()

    def extend(self, window: RollingWindow, times: Floats, predict: Callable[[Integers], Floats]) -> Floats:
        """Append samples, and return the offsets (rows, 2, horizons) at each of them, for calm and high load.

        The prediction at the first sample of each LEVEL_STEP is observed.

        Args:
            window: rolling window of the host, which ends with the new samples.
            times: (rows,) times of the new samples in seconds since the epoch.
            predict: returns the probabilities (n, horizons) of the model at positions (n,) among the new samples.
        """
        slots = times // LEVEL_STEP
        if len(times) == 1 and slots[0] == self._last_slot:
            # As in most samples of live serving.
            return self.offsets[None]
        is_first = np.diff(slots, prepend=self._last_slot) > 0
        self._last_slot = float(slots[-1])
        observed = np.flatnonzero(is_first & (times > self._fitted_until))
        if not len(observed):
            return np.broadcast_to(self.offsets, (len(times), *self.offsets.shape))
        state = window.state[len(window) - len(times) :]
        start = len(self._times)
        for row, z in zip(observed.tolist(), logit(predict(observed)), strict=True):
            self._times.append(float(times[row]))
            self._states.append(int(state[row] == 1))
            self._logits.append(z)
            self._outcomes.append(np.full(len(self._horizons), np.nan))
        self._settle(window)
        offsets = np.empty((len(times), *self.offsets.shape))
        offsets[: observed[0]] = self.offsets
        for entry, row in enumerate(observed.tolist(), start):
            self._step(entry)
            offsets[row:] = self.offsets
        self._drop_old()
        return offsets

    def recalibrate(self, slope: Floats, intercept: Floats) -> None:
        """Compute the offsets again for new calibrations of the model.

        Args:
            slope: (2, horizons) slope for calm and high load.
            intercept: (2, horizons) intercept for calm and high load.
        """
        if np.array_equal(slope, self._slope) and np.array_equal(intercept, self._intercept):
            return
        self._slope = slope
        self._intercept = intercept
        first = self._old_predictions()
        self._restart(first)
        for entry in range(first, len(self._times)):
            self._step(entry)

    def _restart(self, first: int = 0) -> None:
        """Return to the state before the observed prediction at position `first`."""
        self._filters = [[LevelFilter(horizon) for horizon in self._horizons] for _ in range(2)]
        self._first_open = [first] * len(self._horizons)
        self.offsets = np.zeros((2, len(self._horizons)))

    def _settle(self, window: RollingWindow) -> None:
        """Look up the outcomes of the open predictions."""
        first_open = min(self._first_open)
        times = window.times
        open_times = np.array(self._times[first_open:])
        begin = int(np.searchsorted(times, open_times[0]))
        # The sample spacing at a row depends on RECENT_INTERVALS rows before it.
        begin = max(0, begin - RECENT_INTERVALS)
        rows = np.searchsorted(times[begin:], open_times)
        labels = future_labels(times[begin:], window.state[begin:], self._horizons, rows)
        self._outcomes[first_open:] = list(labels)

    def _step(self, entry: int) -> None:
        """Update the offsets at an observed prediction by the outcomes that are known at its time."""
        now = self._times[entry]
        if entry:
            for filters in self._filters:
                for level in filters:
                    level.decay(now - self._times[entry - 1])
        for i, horizon in enumerate(self._horizons):
            past = self._first_open[i]
            while self._times[past] + horizon <= now:
                state = self._states[past]
                y = float(self._outcomes[past][i])
                # After a long gap, the window may have dropped the samples that determine the outcome.
                if not math.isnan(y) and now - self._times[past] <= 2 * self._horizons[-1]:
                    z = self._slope[state, i] * self._logits[past][i] + self._intercept[state, i]
                    self._filters[state][i].observe(float(z), y)
                past += 1
            self._first_open[i] = past
        self.offsets = np.array([[level.offset for level in filters] for filters in self._filters])

    def _old_predictions(self) -> int:
        """Return the number of observed predictions older than MEMORY."""
        return bisect_left(self._times, self._times[-1] - MEMORY) if self._times else 0

    def _drop_old(self) -> None:
        """Drop the observed predictions older than MEMORY, once they are a quarter of all."""
        old = min(self._old_predictions(), *self._first_open)
        if old * 4 > len(self._times):
            for values in (self._times, self._states, self._logits, self._outcomes):
                del values[:old]
            self._first_open = [first - old for first in self._first_open]
