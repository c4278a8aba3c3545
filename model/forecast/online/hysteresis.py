"""Warning hysteresis: start, end and repetition of warnings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.forecast.log_odds import logit, sigmoid

RELEASE_MARGIN = 0.5
"""Log-odds by which a probability must fall below the warning threshold before the warning ends (hysteresis)."""

MIN_LOW_SAMPLES = 3
"""Samples below the release threshold that end the pause after a high-load period, however coarse the sampling."""

HOLD_RATIO = 0.1
"""Shortest hold time relative to the horizon."""


def release_threshold(threshold: Floats) -> Floats:
    """Return the probability below which a warning ends; infinite where the threshold of its start is."""
    released = sigmoid(logit(np.where(np.isinf(threshold), 1.0, threshold)) - RELEASE_MARGIN)
    return np.where(np.isinf(threshold), np.inf, released)


class WarningHysteresis:
    """Warnings of several hosts, from one sample to the next.

    1. A warning starts when the probability reaches its threshold.
    2. It ends once the probability has stayed below the release threshold for the hold time: a single noisy sample
       does not end it.
    3. A high-load period ends it at once: a warning announces high load, and load is high now.
    4. After a period no warning starts until the probability has once stayed below the release threshold for the
       hold time (and three samples), or load has not been high for one horizon. Before that, a probability that is
       still high is no news.

    The hold time is the sustained time, at least a tenth of the horizon.
    """

    def __init__(self, hosts: int, horizons: Sequence[float], sustained: float) -> None:
        """Start without warnings.

        Args:
            hosts: number of hosts.
            horizons: seconds.
            sustained: seconds for which a rule has to hold.
        """
        shape = (hosts, len(horizons))
        self._horizons = tuple(horizons)
        self._hold = np.maximum(sustained, HOLD_RATIO * np.array(horizons, dtype=np.float64))
        self._active: Bools = np.zeros(shape, bool)
        self._armed: Bools = np.zeros(shape, bool)
        # time of the last probability that was not below the release threshold, and samples since
        self._reached = np.full(shape, np.nan)
        self._below: Integers = np.zeros(shape, np.int64)

    def inherit(self, previous: WarningHysteresis) -> None:
        """Take over the state from the warnings of the same hosts by another model, by horizon."""
        for i, horizon in enumerate(self._horizons):
            if horizon in previous._horizons:
                column = previous._horizons.index(horizon)
                for name in ("_active", "_armed", "_reached", "_below"):
                    getattr(self, name)[:, i] = getattr(previous, name)[:, column]

    def update(
        self,
        times: Floats,
        probabilities: Floats,
        thresholds: tuple[Floats, Floats],
        in_period: Bools,
        last_high: Floats,
    ) -> tuple[Bools, Bools]:
        """Return whether a warning is active at each of some consecutive samples.

        Args:
            times: (hosts, rows) seconds.
            probabilities: (hosts, rows, horizons), NaN where there is none.
            thresholds: probabilities (hosts, rows, horizons) at which a warning starts and below which it ends;
                infinite for no warnings.
            in_period: (hosts, rows) True in a high-load period.
            last_high: (hosts, rows) time of the last high state, -inf before the first.

        Returns:
            Two arrays (hosts, rows, horizons): the state before each sample, and at each sample.
        """
        before = np.empty(probabilities.shape, bool)
        states = np.empty(probabilities.shape, bool)
        start, end = thresholds
        calm_for = (times - last_high)[..., None]
        for row in range(probabilities.shape[1]):
            at = times[:, row, None]
            high = in_period[:, row, None]
            p = probabilities[:, row]
            reached = (p >= end[:, row]) | high | np.isnan(self._reached)
            self._reached = np.where(reached, at, self._reached)
            self._below = np.where(reached, 0, self._below + 1)
            released = ~reached & (at - self._reached >= self._hold)
            low = released & (self._below >= MIN_LOW_SAMPLES)
            self._armed = (self._armed | low | (calm_for[:, row] >= self._horizons)) & ~high
            continues = self._active & ~released & np.isfinite(end[:, row])
            before[:, row] = self._active
            self._active = self._armed & ((p >= start[:, row]) | continues)
            states[:, row] = self._active
        return before, states
