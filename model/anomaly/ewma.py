"""Exponential means that take in one row or many, and forget nothing of what came between."""

from __future__ import annotations

import numpy as np

from model.array_types import Bools, Floats, Integers

TOGETHER = 256
"""Rows that are summed up in one product."""


class Smoother:
    """Exponential means of several columns, each at its own pace, right from their first row on.

    mean <- mean + a (x - mean) with a = 1 - 2^(-1 / half-life), over the weight that has been given so far; a missing
    value changes nothing.
    """

    def __init__(self, half_lives: Floats) -> None:
        """Nothing seen yet.

        Args:
            half_lives: (columns,) rows after which a value counts half.
        """
        self._kept: Floats = 0.5 ** (1.0 / half_lives)
        self._new: Floats = 1.0 - self._kept
        self._sums = np.zeros(len(half_lives))
        self._missing = np.ones(len(half_lives))  # the weight that has not been given yet

    @property
    def means(self) -> Floats:
        """(columns,) after the last row; 0 where nothing was seen."""
        return np.asarray(self._sums / (1.0 - self._missing + (self._missing == 1.0)))

    def extend(self, x: Floats, known: Bools) -> Floats:
        """Takes in rows.

        Args:
            x: (rows, columns), finite where known.
            known: (rows, columns).

        Returns:
            (rows, columns), the means after each row.
        """
        if len(x) == 1:
            self._sums += np.where(known[0], self._new * (x[0] - self._sums), 0.0)
            self._missing = np.where(known[0], self._missing * self._kept, self._missing)
            return self.means[None]
        found = np.empty(x.shape)
        for kept in np.unique(self._kept):
            columns = np.flatnonzero(self._kept == kept)
            whole = columns[known[:, columns].all(axis=0)]
            found[:, whole] = self._scanned(x[:, whole], kept, whole)
            for column in np.setdiff1d(columns, whole):
                found[:, column] = self._with_holes(x[:, column], known[:, column], kept, column)
        return found

    def _with_holes(self, x: Floats, known: Bools, kept: float, column: int) -> Floats:
        before, only = self.means[column], np.array([column])
        seen = self._scanned(x[known][:, None], kept, only)[:, 0]
        return np.concatenate(([before], seen))[np.cumsum(known)]

    def _scanned(self, x: Floats, kept: float, columns: Integers) -> Floats:
        """The means of columns of one pace, all known."""
        n = len(x)
        size = min(TOGETHER, n)
        powers = kept ** np.arange(size + 1)
        lag = np.subtract.outer(np.arange(size), np.arange(size))
        weights = np.where(lag >= 0, (1.0 - kept) * powers[np.maximum(lag, 0)], 0.0)
        found = np.empty(x.shape)
        for start in range(0, n, TOGETHER):
            here = x[start : start + TOGETHER]
            rows = len(here)
            found[start : start + rows] = (
                weights[:rows, :rows] @ here + powers[1 : rows + 1, None] * self._sums[columns]
            )
            self._sums[columns] = found[start + rows - 1]
        given = self._missing[columns] * kept ** np.arange(1, n + 1)[:, None]
        if n:
            self._missing[columns] = given[-1]
        return np.asarray(found / (1.0 - given))
