"""Warning hysteresis: a warning starts at one probability and ends below a lower one."""

from __future__ import annotations

import numpy as np

from model.array_types import Bools, Floats
from model.forecast.log_odds import logit, sigmoid

RELEASE_MARGIN = 0.5
"""Log-odds by which a probability must fall below the warning threshold before the warning ends (hysteresis)."""


def release_threshold(threshold: Floats) -> Floats:
    """Return the probability below which a warning ends; infinite where the threshold of its start is."""
    released = sigmoid(logit(np.where(np.isinf(threshold), 1.0, threshold)) - RELEASE_MARGIN)
    return np.where(np.isinf(threshold), np.inf, released)


def warning_states(probabilities: Floats, start: Floats, end: Floats, active: Bools) -> Bools:
    """Return whether a warning is active at each of some consecutive samples.

    Args:
        probabilities: (hosts, rows, horizons).
        start: likewise, the probability at which a warning starts; infinite for no warnings.
        end: likewise, the probability below which it ends.
        active: (hosts, horizons) warnings that are active before the first sample.

    Returns:
        (hosts, rows, horizons).
    """
    states = np.empty(probabilities.shape, bool)
    for row in range(probabilities.shape[1]):
        active = probabilities[:, row] >= np.where(active, end[:, row], start[:, row])
        states[:, row] = active
    return states
