"""Tail probabilities: generalised Pareto exceedances, Hill estimates and a log-logistic curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats

TAIL_QUANTILE = 0.98
"""Quantile above which a generalised Pareto tail is fitted."""

TAIL_START = -np.log(1.0 - TAIL_QUANTILE)
"""-log P(X > x) at TAIL_QUANTILE."""

MIN_SHAPE = 0.05
"""Lower bound of the Pareto shape; a positive shape has no upper end point."""

MAX_SHAPE = 0.5
"""Upper bound of the Pareto shape; below it the variance is finite."""

MIN_EXCEEDANCES = 5
"""Smallest number of exceedances from which scale and shape are estimated."""

LOG_LOGISTIC_SHAPE = 4.0
"""Shape of the log-logistic curve; the same for all hosts, so that scores stay comparable."""

MAX_ORDER_STATISTICS = 10
"""Largest number of block maxima above the threshold in the Hill estimate."""


@dataclass(frozen=True)
class ExceedanceTails:
    """Tail distributions of several columns of non-negative values.

    Above `threshold` the exceedances follow a generalised Pareto distribution, fitted by the method of moments
    (Hosking & Wallis 1987). Below `threshold`, -log P(X > x) is interpolated linearly from 0 at x = 0, because only
    the order of frequent values matters.

    Attributes:
        threshold: (columns,) quantile at TAIL_QUANTILE of each column.
        scale: (columns,) scale of the Pareto distribution.
        shape: (columns,) shape of the Pareto distribution.
    """

    threshold: Floats
    scale: Floats
    shape: Floats

    def surprisal(self, x: Floats) -> Floats:
        """Return the surprisal -log P(X > x) of each value.

        Args:
            x: (rows, columns), non-negative.

        Returns:
            (rows, columns), non-negative.
        """
        excess = np.maximum(x - self.threshold, 0.0)
        below = TAIL_START * np.minimum(x / np.maximum(self.threshold, 1e-9), 1.0)
        above = TAIL_START + np.log1p(self.shape * excess / self.scale) / self.shape
        return np.asarray(np.where(excess > 0, above, below))


def fit_tails(x: Floats, present: Bools) -> ExceedanceTails:
    """Fit the threshold and the generalised Pareto distribution of each column.

    With fewer than MIN_EXCEEDANCES exceedances, the shape is MAX_SHAPE, and the scale follows from the threshold.

    Args:
        x: (rows, columns), non-negative.
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
    """Power-law tail of block maxima: P(max > x) = exceedance_rate * (x / threshold)^(-1 / index) for x > threshold.

    Attributes:
        threshold: value above which the power law holds.
        index: Hill estimate of the tail index (Hill 1975).
        exceedance_rate: fraction of the block maxima that exceed `threshold`.
    """

    threshold: float
    index: float
    exceedance_rate: float

    def return_level(self, probability: float) -> float:
        """Return the level that a block maximum exceeds with the given probability."""
        return float(self.threshold * (self.exceedance_rate / probability) ** self.index)


def fit_block_maxima(maxima: Floats) -> BlockMaximaTail | None:
    """Fit a power-law tail to the largest third of block maxima: at least two, at most MAX_ORDER_STATISTICS.

    Args:
        maxima: (blocks,) maxima of the blocks, in any order.

    Returns:
        The tail; None if there are fewer than three blocks.
    """
    descending = np.sort(np.maximum(maxima, 1e-6))[::-1]
    k = max(2, min(MAX_ORDER_STATISTICS, len(descending) // 3))
    if len(descending) <= k:
        return None
    index = float(np.mean(np.log(descending[:k] / descending[k])))
    return BlockMaximaTail(threshold=float(descending[k]), index=index, exceedance_rate=k / len(descending))


class LogLogisticTail:
    """Log-logistic distribution of block maxima: P(maximum > x) = 1 / (1 + (x / s)^4).

    The scale s follows from the exceedance probability of one value. P decreases strictly for x >= 0, so the scores
    derived from it keep the order of x.
    """

    def __init__(self, value: float, probability: float) -> None:
        """Initialize from the exceedance probability of one value.

        Args:
            value: level of a block maximum, above 0.
            probability: probability that the maximum exceeds `value`.
        """
        self._scale = value / (1.0 / probability - 1.0) ** (1.0 / LOG_LOGISTIC_SHAPE)

    def exceedance_probability(self, x: float) -> float:
        """Return P(maximum > x) for a non-negative x."""
        return float(1.0 / (1.0 + (x / self._scale) ** LOG_LOGISTIC_SHAPE))
