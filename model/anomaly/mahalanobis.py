"""How far off a host's usual places it is, whether or not it came there suddenly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.anomaly.forecaster import BLOCKS, thirds
from model.array_types import Bools, Floats

FLATTEST = 0.05
"""No direction counts as varying by less than this share of the variance of the widest one."""

ALONE = 32
"""Rows that a single metric is looked at together: one value has no shape."""


@dataclass(frozen=True)
class Level:
    """Mean squared distance in directions of equal variance (Mahalanobis), of `rows` rows together."""

    rows: int
    mean: Floats
    directions: Floats

    def __call__(self, x: Floats) -> Floats:
        """(n, rows * metrics) to (n,)."""
        return np.asarray(np.square((x - self.mean) @ self.directions).mean(axis=1))


def together(z: Floats, rows: int) -> Floats:
    """Each row with those before it, oldest first; the first row stands in for what came before it."""
    if rows == 1:
        return z
    padded = np.concatenate((np.repeat(z[:1], rows - 1, axis=0), z))
    view = np.lib.stride_tricks.sliding_window_view(padded, rows, axis=0)
    return np.ascontiguousarray(view.transpose(0, 2, 1)).reshape(len(z), -1)


def fit_level(z: Floats, usable: Bools) -> tuple[Level, Floats]:
    """Learns usual places; returns them, and (rows,) the distance of each row from those of the two other thirds.

    Args:
        z: (rows, metrics), finite.
        usable: (rows,) what may be learned from.
    """
    rows = ALONE if z.shape[1] == 1 else 1
    x = together(z, rows)
    block = thirds(usable)
    distance = np.zeros(len(z))
    for b in range(BLOCKS):
        distance[block == b] = _fitted(x[usable & (block != b)], rows)(x[block == b])
    return _fitted(x[usable], rows), distance


def _fitted(x: Floats, rows: int) -> Level:
    variances, directions = np.linalg.eigh(np.atleast_2d(np.cov(x.T)))
    return Level(rows, x.mean(axis=0), directions / np.sqrt(np.maximum(variances, FLATTEST * variances[-1] + 1e-9)))
