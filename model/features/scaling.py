"""Feature scaling: clipping to the training range, standardisation and saturation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Bools, Floats

SOFT_LIMIT = 4.0
"""Limit, in standard deviations, that large scaled inputs approach but never exceed (saturation)."""

TAIL_RATIO = 5e-4
"""Fraction of the training rows excluded from the training range of a heavy-tailed feature at each end."""


@dataclass(frozen=True)
class Scaler:
    """Feature scaler: clips features to their training range, standardises them and saturates outliers.

    Attributes:
        mean: (features,) float32 training mean.
        deviation: (features,) float32 standard deviation in training, with the floor of `fit_scaler`.
        low: (features,) float32 lower end of the training range, at most the mean; None for no clipping.
        high: (features,) float32 upper end of the training range, at least the mean; None for no clipping.
    """

    mean: Floats
    deviation: Floats
    low: Floats | None = None
    high: Floats | None = None

    def arrays(self) -> dict[str, Floats]:
        """Return the arrays by name; an array that is None is left out."""
        arrays = {"mean": self.mean, "deviation": self.deviation, "low": self.low, "high": self.high}
        return {name: array for name, array in arrays.items() if array is not None}

    def __call__(self, x: Floats) -> Floats:
        """Return the scaled features (rows, features); a missing value becomes 0.

        Values are clipped to [low, high], standardised to z = (x - mean) / deviation, and saturated to
        z / sqrt(1 + (z / SOFT_LIMIT)^2).
        """
        if self.low is not None and self.high is not None:
            x = np.minimum(np.maximum(x, self.low), self.high)
        z = (x - self.mean) / self.deviation
        np.copyto(z, 0, where=np.isnan(z))
        return np.asarray(z / np.sqrt(1 + np.square(z / np.float32(SOFT_LIMIT))))


def fit_scaler(x: Floats) -> Scaler:
    """Fit a scaler without clipping: mean and standard deviation of each column of (rows, features), ignoring NaN.

    The deviation is at least 0.001 (1 + |mean|). Without this floor, a live value of an almost constant feature could
    be thousands of deviations from the mean.
    """
    known = ~np.isnan(x)
    count = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, x, 0).astype(np.float64)
    mean = filled.sum(axis=0) / count
    variance = (np.where(known, filled - mean, 0) ** 2).sum(axis=0) / count
    deviation = np.maximum(np.sqrt(variance), 1e-3 * (1 + np.abs(mean)))
    return Scaler(mean.astype(np.float32), deviation.astype(np.float32))


def fit_clipping_scaler(x: Floats, heavy_tailed: Bools) -> Scaler:
    """Fit a scaler that clips each column of (rows, features) to its training range, ignoring NaN.

    A column without a known value is clipped to its mean of 0, because the networks learn nothing from it.

    Args:
        x: (rows, features).
        heavy_tailed: (features,) True for columns whose range excludes TAIL_RATIO of the rows at each end, so that
            single outliers do not widen the range.
    """
    scaler = fit_scaler(x)
    # NaN is sorted to the end
    ordered = np.sort(x, axis=0)
    known = len(x) - np.isnan(ordered).sum(axis=0)
    left_out = np.where(heavy_tailed, known * TAIL_RATIO, 0).astype(np.intp)
    columns = np.arange(x.shape[1])
    low = np.where(known, ordered[left_out, columns], scaler.mean)
    high = np.where(known, ordered[np.maximum(known, 1) - 1 - left_out, columns], scaler.mean)
    return replace(scaler, low=np.minimum(low, scaler.mean), high=np.maximum(high, scaler.mean))
