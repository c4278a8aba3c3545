"""Host levels: the running level of many hosts, as arrays (`model.forecast.online.running_level`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.array_types import Floats, Integers
from model.forecast.fleet.outcome_log import Matured
from model.forecast.log_odds import sigmoid
from model.forecast.online.running_level import (
    BLOCK_SECONDS,
    HALF_LIFE,
    LEVEL_STEP,
    MAX_OFFSET,
    SHORT_HORIZON,
    SHRINKAGE,
    VARIANCE,
)


class HostLevels:
    """Filtered log-odds offset of each host, load state and horizon.

    Each filter has the equations of `LevelFilter`, with the outcomes of one prediction per log slot.
    """

    def __init__(self, hosts: int, horizons: Sequence[float], width: float) -> None:
        """Create filters that have observed nothing.

        Args:
            hosts: number of hosts.
            horizons: seconds.
            width: seconds per log slot.
        """
        self._width = width
        blocks = np.maximum(horizons, BLOCK_SECONDS)
        self._weights = max(LEVEL_STEP, width) / blocks
        self._prior = VARIANCE * np.minimum(1.0, SHORT_HORIZON / np.asarray(horizons))
        self._mean = np.zeros((hosts, 2, len(horizons)))
        self._variance = np.broadcast_to(self._prior, self._mean.shape).copy()

    @property
    def offsets(self) -> Floats:
        """(hosts, 2, horizons) log-odds to add, for calm and high load."""
        size = np.abs(self._mean) - SHRINKAGE * np.sqrt(self._variance)
        return np.where(size > 0, np.copysign(size, self._mean), 0.0)

    def clear(self, hosts: Integers) -> None:
        """Return the filters of hosts, by their positions (n,), to the state before any outcome."""
        self._mean[hosts] = 0
        self._variance[hosts] = self._prior

    def take_over(self, hosts: Integers, levels: HostLevels) -> None:
        """Replace the filters of hosts, by their positions (n,), by those of other levels with n hosts."""
        self._mean[hosts] = levels._mean
        self._variance[hosts] = levels._variance

    def decay(self, slots: int) -> None:
        """Let all levels decay for a number of log slots."""
        kept = 0.5 ** (slots * self._width / HALF_LIFE)
        self._mean *= kept
        self._variance *= kept * kept
        self._variance += (1 - kept * kept) * self._prior

    def observe(self, matured: Matured, slope: Floats, intercept: Floats) -> None:
        """Update the levels by outcomes that became known.

        Args:
            matured: outcomes of one horizon.
            slope: (hosts, 2, horizons) slope of the recalibration.
            intercept: (hosts, 2, horizons) intercept of the recalibration.
        """
        known = ~np.isnan(matured.outcomes) & ~np.isnan(matured.logits)
        place = matured.hosts[known], matured.states[known], matured.horizon
        mean = self._mean[place]
        p = sigmoid(slope[place] * matured.logits[known] + intercept[place] + mean)
        weight = self._weights[matured.horizon]
        variance = 1 / (1 / self._variance[place] + weight * p * (1 - p))
        self._variance[place] = variance
        changed = mean + variance * weight * (matured.outcomes[known] - p)
        self._mean[place] = np.clip(changed, -MAX_OFFSET, MAX_OFFSET)
