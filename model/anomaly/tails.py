"""Tail probabilities: generalised Pareto exceedances, Hill estimates and a log-logistic curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats

TAIL_QUANTILE = 0.98
"""Quantile above which a generalised Pareto tail is fitted."""

TAIL_START = -np.log(1.0 - TAIL_QUANTILE)
"""-log of the exceedance probability at that quantile."""

MIN_SHAPE = 0.05
"""Lower bound of the Pareto shape: a tail without an upper end."""

MAX_SHAPE = 0.5
"""Upper bound of the Pareto shape: a tail with a finite variance."""

MIN_EXCEEDANCES = 5
"""Number of exceedances needed to estimate the shape."""

LOG_LOGISTIC_SHAPE = 4.0
"""Shape of the log-logistic curve; the same for all hosts, so that scores stay comparable."""

MAX_ORDER_STATISTICS = 10
"""Number of the largest block maxima that the Hill estimate uses."""


@dataclass(frozen=True)
class ExceedanceTails:
    """Tail distributions of several columns; every attribute is (columns,).

    Above `threshold` (98th percentile) the exceedances follow a generalised Pareto distribution, fitted by the method
    of moments (Hosking & Wallis 1987). Below it -log P is interpolated linearly: frequent values need an order, not
    an exact probability.
    """

    threshold: Floats
    scale: Floats
    shape: Floats

    def surprisal(self, x: Floats) -> Floats:
        """Return -log P(X > x), 0 and more, of (rows, columns)."""
        excess = np.maximum(x - self.threshold, 0.0)
        below = TAIL_START * np.minimum(x / np.maximum(self.threshold, 1e-9), 1.0)
        above = TAIL_START + np.log1p(self.shape * excess / self.scale) / self.shape
        return np.asarray(np.where(excess > 0, above, below))


def fit_tails(x: Floats, present: Bools) -> ExceedanceTails:
    """Fit the tail of each column.

    Args:
        x: (rows, columns), 0 and more.
        present: (rows, columns), False where a value is missing.
    """
    columns = x.shape[1]
    threshold = np.zeros(columns)
    shape = np.full(columns, MAX_SHAPE)
    for column in range(columns):
        values = x[present[:, column], column]
        if len(values):
            threshold[column] = np.quantile(values, TAIL_QUANTILE)
    scale = np.maximum(threshold, 1e-3) * MAX_SHAPE
    for column in range(columns):
        excess = x[present[:, column] & (x[:, column] > threshold[column]), column] - threshold[column]
        if len(excess) >= MIN_EXCEEDANCES:
            mean = float(excess.mean())
            variance = max(float(excess.var()), 1e-12)
            shape[column] = np.clip(0.5 * (1.0 - mean * mean / variance), MIN_SHAPE, MAX_SHAPE)
            scale[column] = max(mean * (1.0 - shape[column]), 1e-3 * max(threshold[column], 1e-3))
    return ExceedanceTails(threshold, scale, shape)


@dataclass(frozen=True)
class BlockMaximaTail:
    """Power-law tail of block maxima: P(maximum > x) = rate (x / threshold)^(-1 / index) for x above `threshold`.

    Attributes:
        threshold: smallest value that belongs to the tail.
        index: Hill estimate of the tail index (Hill 1975).
        exceedance_rate: ratio of the block maxima above `threshold`.
    """

    threshold: float
    index: float
    exceedance_rate: float

    def return_level(self, probability: float) -> float:
        """Return the value that the maximum of a block exceeds with a probability."""
        return float(self.threshold * (self.exceedance_rate / probability) ** self.index)


def fit_block_maxima(maxima: Floats) -> BlockMaximaTail | None:
    """Fit the tail of block maxima (blocks,); return None for fewer than three."""
    descending = np.sort(np.maximum(maxima, 1e-6))[::-1]
    k = max(2, min(MAX_ORDER_STATISTICS, len(descending) // 3))
    if len(descending) <= k:
        return None
    index = float(np.mean(np.log(descending[:k] / descending[k])))
    return BlockMaximaTail(threshold=float(descending[k]), index=index, exceedance_rate=k / len(descending))


class LogLogisticTail:
    """Exceedance probability of a block maximum: P(maximum > x) = 1 / (1 + (x / s)^4).

    The curve decreases strictly from x = 0 on, so that scores keep their order; it is exact at one given value.
    """

    def __init__(self, value: float, probability: float) -> None:
        """Create the curve through one point.

        Args:
            value: block maximum, above 0.
            probability: probability that the maximum exceeds `value`.
        """
        self._scale = value / (1.0 / probability - 1.0) ** (1.0 / LOG_LOGISTIC_SHAPE)

    def exceedance_probability(self, x: float) -> float:
        """Return P(maximum > x) for x of 0 and more."""
        return float(1.0 / (1.0 + (x / self._scale) ** LOG_LOGISTIC_SHAPE))
