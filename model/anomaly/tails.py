"""How rare something is: tails of what was seen, beyond what was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats

BODY = 0.98
"""The quantile from which on a tail is Pareto's."""

RAREST = -np.log(1.0 - BODY)
"""-log probability there."""

FLATTEST, HEAVIEST = 0.05, 0.5
"""Limits of the shape: neither a tail that ends nor one without a variance."""

FEWEST = 5
"""Exceedances from which a shape is told."""


@dataclass(frozen=True)
class Tails:
    """-log of the probability that a column exceeds a value; each array is (columns,).

    Beyond `start` (the 98th percentile) a generalised Pareto tail by moments (Hosking & Wallis 1987), below it
    linear: what is common needs an order, not a probability.
    """

    start: Floats
    scale: Floats
    shape: Floats

    def __call__(self, x: Floats) -> Floats:
        """(rows, columns) to -log probabilities, 0 and more."""
        beyond = np.maximum(x - self.start, 0.0)
        common = RAREST * np.minimum(x / np.maximum(self.start, 1e-9), 1.0)
        return np.asarray(
            np.where(beyond > 0, RAREST + np.log1p(self.shape * beyond / self.scale) / self.shape, common)
        )


def fit_tails(x: Floats, known: Bools) -> Tails:
    """The tails of columns (rows, columns) of values that are not negative, where they are known (rows, columns)."""
    start = np.array([np.quantile(x[there, j], BODY) if there.any() else 0.0 for j, there in enumerate(known.T)])
    shape = np.full(x.shape[1], HEAVIEST)
    scale = np.maximum(start, 1e-3) * HEAVIEST
    for j in range(x.shape[1]):
        beyond = x[known[:, j] & (x[:, j] > start[j]), j] - start[j]
        if len(beyond) >= FEWEST:
            mean, spread = float(beyond.mean()), max(float(beyond.var()), 1e-12)
            shape[j] = np.clip(0.5 * (1.0 - mean * mean / spread), FLATTEST, HEAVIEST)
            scale[j] = max(mean * (1.0 - shape[j]), 1e-3 * max(start[j], 1e-3))
    return Tails(start, scale, shape)


@dataclass(frozen=True)
class BlockMaximaTail:
    """How often a stretch of time reaches a value: P(peak > x) = share (x / start)^(-1 / index) from `start` on.

    By the largest peaks (Hill 1975). `share` is that of the peaks above `start`.
    """

    start: float
    index: float
    share: float

    def reached(self, probability: float) -> float:
        """The value that a peak exceeds with a probability."""
        return float(self.start * (self.share / probability) ** self.index)


POWER = 4.0
"""How fast the probability of a peak falls with its size; one measure for all, so that an order stays an order."""


class Rarity:
    """The probability that a peak exceeds a value: 1 / (1 + (x / s)^4), with s by one known rate.

    A log-logistic curve, for it has an order from the least to the largest; it is right where alarms are.
    """

    def __init__(self, value: float, probability: float) -> None:
        """Of a value (above 0) that is exceeded with a probability."""
        self._scale = value / (1.0 / probability - 1.0) ** (1.0 / POWER)

    def __call__(self, x: float) -> float:
        """P(peak > x) for x of 0 and more."""
        return float(1.0 / (1.0 + (x / self._scale) ** POWER))


LARGEST = 10
"""BlockMaxima that a tail is made from."""


def fit_block_maxima(peaks: Floats) -> BlockMaximaTail | None:
    """The tail of peaks (n,); None where there are fewer than three."""
    ordered = np.sort(np.maximum(peaks, 1e-6))[::-1]
    k = max(2, min(LARGEST, len(ordered) // 3))
    if len(ordered) <= k:
        return None
    index = float(np.mean(np.log(ordered[:k] / ordered[k])))
    return BlockMaximaTail(float(ordered[k]), index, k / len(ordered))
