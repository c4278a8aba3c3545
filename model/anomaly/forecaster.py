"""What all metrics together say that comes next: a linear forecast, and what it could not foresee.

On host metrics a ridge regression on the last rows of all metrics was as good as a network over the same rows, and a
network without the linear path was worse; what matters is how its errors are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats, Integers

LAGS = 12
"""Rows of the past that a forecast looks at."""

AHEAD = (1, 5)
"""Rows ahead."""

REACH = LAGS + max(AHEAD) - 1
"""Rows of the past that any forecast of one row looks at."""

RIDGE = 10.0
"""Squares of standardised inputs, in rows, that the weights are held back by."""

BLOCKS = 3
"""Contiguous parts of the past, each foreseen by what was learned from the others."""

CHUNK_ROWS = 4096
"""Rows laid out at once: those of months would not fit a small machine."""


@dataclass(frozen=True)
class Forecaster:
    """`weights` (REACH * metrics + 1, len(AHEAD) * metrics): from the rows before, oldest first, and 1."""

    weights: Floats

    def __call__(self, before: Floats) -> Floats:
        """(rows, REACH * metrics) to forecasts (rows, len(AHEAD) * metrics): those of one horizon after the other."""
        return np.asarray(before @ self.weights[:-1] + self.weights[-1])


def windows(z: Floats) -> Iterator[tuple[slice, Floats]]:
    """The rows from REACH on, some at a time, with what came before each: (rows, REACH * metrics)."""
    n, d = z.shape
    for start in range(REACH, n, CHUNK_ROWS):
        end = min(start + CHUNK_ROWS, n)
        view = np.lib.stride_tricks.sliding_window_view(z[start - REACH : end - 1], REACH, axis=0)
        yield slice(start, end), np.ascontiguousarray(view.transpose(0, 2, 1)).reshape(end - start, REACH * d)


def thirds(usable: Bools) -> Integers:
    """(rows,) to which of BLOCKS contiguous parts each row belongs, all with as many usable rows."""
    found: Integers = np.cumsum(usable) * BLOCKS // (int(usable.sum()) + 1)
    return found


def fit_forecaster(z: Floats, usable: Bools) -> tuple[Forecaster, Floats]:
    """Learns to foresee.

    Args:
        z: (rows, metrics), finite.
        usable: (rows,) whether a row and what came before it may be learned from.

    Returns:
        The forecaster, and (rows, len(AHEAD) * metrics) what it could not foresee of each row, having learned from
        the two other thirds; 0 for the first rows, which have no past.
    """
    n, d = z.shape
    width = REACH * d + 1
    block = thirds(usable)
    grams, crosses = np.zeros((BLOCKS, width, width)), np.zeros((BLOCKS, width, d))
    for rows, before in windows(z):
        inputs = np.concatenate((before, np.ones((len(before), 1))), axis=1)
        for b in np.unique(block[rows]):
            here = usable[rows] & (block[rows] == b)
            grams[b] += inputs[here].T @ inputs[here]
            crosses[b] += inputs[here].T @ z[rows][here]
    without = [
        _solved(grams.sum(0) - gram, crosses.sum(0) - cross, d) for gram, cross in zip(grams, crosses, strict=True)
    ]
    errors = np.zeros((n, len(AHEAD) * d))
    target = np.tile(z, (1, len(AHEAD)))
    for rows, before in windows(z):
        for b in np.unique(block[rows]):
            here = block[rows] == b
            errors[rows][here] = target[rows][here] - without[b](before[here])
    return _solved(grams.sum(0), crosses.sum(0), d), errors


def _solved(gram: Floats, cross: Floats, metrics: int) -> Forecaster:
    """Ridge regression by its normal equations; each horizon looks at its own rows alone."""
    weights = np.zeros((len(gram), len(AHEAD) * metrics))
    for i, ahead in enumerate(AHEAD):
        last = REACH - ahead + 1
        seen = np.append(np.arange((last - LAGS) * metrics, last * metrics), len(gram) - 1)
        held = np.full(len(seen), RIDGE)
        held[-1] = 1e-6
        part = gram[np.ix_(seen, seen)] + np.diag(held)
        weights[seen, i * metrics : (i + 1) * metrics] = np.linalg.solve(part, cross[seen])
    return Forecaster(weights)
