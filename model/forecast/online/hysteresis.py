"""Warning hysteresis: start, end and re-arming of warnings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.forecast.log_odds import logit, sigmoid

RELEASE_MARGIN = 0.5
"""Difference between the start threshold and the release threshold of a warning, in log-odds."""

MIN_LOW_SAMPLES = 3
"""Smallest number of consecutive samples below the release threshold that re-arm warnings."""

HOLD_RATIO = 0.1
"""Shortest hold time as a fraction of the horizon."""

STATE = ("_active", "_armed", "_reached", "_below")
"""Names of the arrays (hosts, horizons) of `WarningHysteresis`."""


def start_threshold(precision: float) -> float:
    """Return the probability at which a warning starts: the target precision, lowered by RELEASE_MARGIN.

    A warning starts at or above this threshold, and continues down to the release threshold. The mean probability
    in a warning is therefore close to the target precision. On real traces this was more precise than thresholds
    fitted on the holdout, because calibrated probabilities last longer than a choice on few warnings.

    Args:
        precision: target fraction of warnings followed by high load.
    """
    return float(sigmoid(logit(np.array(precision)) - RELEASE_MARGIN))


def release_threshold(threshold: Floats) -> Floats:
    """Return start thresholds of any shape, lowered by RELEASE_MARGIN; infinite thresholds remain infinite."""
    released = sigmoid(logit(np.where(np.isinf(threshold), 1.0, threshold)) - RELEASE_MARGIN)
    return np.where(np.isinf(threshold), np.inf, released)


class WarningHysteresis:
    """Warning state of several hosts and horizons, updated sample by sample.

    1. An armed warning starts when the probability reaches the start threshold.
    2. A warning ends once the probability has stayed below the release threshold for the hold time, so that a single
       noisy sample does not end it.
    3. A high-load period ends a warning at its onset, and disarms it: the announced high load is present.
    4. After the period, a warning is armed again once load has not been high for one horizon, or once the probability
       has stayed below the release threshold for the hold time and MIN_LOW_SAMPLES samples.

    The hold time is the sustained time of the rules, or HOLD_RATIO of the horizon if that is longer.
    """

    def __init__(self, hosts: int, horizons: Sequence[float], sustained: float) -> None:
        """Initialize the state: no warning is active or armed.

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
        # Time of the last probability at or above the release threshold, and number of samples since.
        self._reached = np.full(shape, np.nan)
        self._below: Integers = np.zeros(shape, np.int64)

    def inherit(self, previous: WarningHysteresis) -> None:
        """Copy the warning states of another model for the same hosts, for the horizons that both models have."""
        for i, horizon in enumerate(self._horizons):
            if horizon in previous._horizons:
                column = previous._horizons.index(horizon)
                for name in STATE:
                    getattr(self, name)[:, i] = getattr(previous, name)[:, column]

    def reset(self, hosts: Integers) -> None:
        """Return hosts, by their positions (n,), to the initial state."""
        fresh = WarningHysteresis(len(hosts), self._horizons, 0.0)
        for name in STATE:
            getattr(self, name)[hosts] = getattr(fresh, name)

    def restore(self, previous: WarningHysteresis, hosts: Integers) -> None:
        """Take the states of hosts, by their positions (n,), from a copy of this object."""
        for name in STATE:
            getattr(self, name)[hosts] = getattr(previous, name)[hosts]

    def update(
        self,
        times: Floats,
        probabilities: Floats,
        thresholds: tuple[Floats, Floats],
        in_period: Bools,
        last_high: Floats,
    ) -> tuple[Bools, Bools]:
        """Update the warnings sample by sample, and return their states.

        Args:
            times: (hosts, rows) seconds.
            probabilities: (hosts, rows, horizons), NaN where there is none.
            thresholds: start thresholds and release thresholds, two arrays (hosts, rows, horizons); infinite for no
                warnings.
            in_period: (hosts, rows) True in a high-load period, including short dips.
            last_high: (hosts, rows) time of the last sample during high load, -inf before the first.

        Returns:
            Two arrays (hosts, rows, horizons), True while a warning is active: before and at each sample.
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


def replay_warnings(
    times: Floats,
    probabilities: Floats,
    start: Floats,
    in_period: Bools,
    last_high: Floats,
    horizon: float,
    sustained: float,
) -> Bools:
    """Return the warnings (rows,) of one host and horizon, as `WarningHysteresis` from its initial state.

    One row at a time in plain numbers, which is many times faster than arrays of one element.

    Args:
        times: (rows,) seconds, increasing.
        probabilities: (rows,).
        start: (rows,) start thresholds; infinite for no warnings.
        in_period: (rows,) True in a high-load period, including short dips.
        last_high: (rows,) time of the last sample during high load, -inf before the first.
        horizon: seconds.
        sustained: seconds for which a rule has to hold.
    """
    hold = max(sustained, HOLD_RATIO * horizon)
    release = release_threshold(start)
    columns = (times, probabilities, start, release, in_period, last_high)
    active = armed = False
    reached_at = 0.0
    below = 0
    states = np.zeros(len(times), bool)
    for row, (at, p, begin, end, high, last) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
        if row == 0 or high or p >= end:
            reached_at = at
            below = 0
            released = False
        else:
            below += 1
            released = at - reached_at >= hold
        armed = (armed or (released and below >= MIN_LOW_SAMPLES) or at - last >= horizon) and not high
        active = armed and (p >= begin or (active and not released and end < np.inf))
        states[row] = active
    return states
