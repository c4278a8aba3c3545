"""Exponentially weighted moving averages: bias-corrected, with missing values, row by row or in batches."""

from __future__ import annotations

import numpy as np

from model.array_types import Bools, Floats, Integers, distinct

BATCH_ROWS = 256
"""Number of rows averaged by one matrix product."""


class Ewma:
    """Exponentially weighted moving averages of several columns, each with its own half-life.

    The recursion is mean <- mean + a (x - mean) with a = 1 - 2^(-1 / half_life). The result is divided by the sum of
    the weights so far, so that the averages are unbiased from the first row on. Missing values are skipped.
    """

    def __init__(self, half_lives: Floats) -> None:
        """Initialize without observations.

        Args:
            half_lives: (columns,) number of rows after which the weight of a value has halved.
        """
        self._decay: Floats = 0.5 ** (1.0 / half_lives)
        self._alpha: Floats = 1.0 - self._decay
        self._weighted_sums = np.zeros(len(half_lives))
        # Product of the decays so far; the weights sum to 1 minus this value.
        self._initial_weight = np.ones(len(half_lives))

    @property
    def means(self) -> Floats:
        """(columns,) averages after the last row; 0 for columns without observations."""
        unobserved = self._initial_weight == 1.0
        return np.asarray(self._weighted_sums / (1.0 - self._initial_weight + unobserved))

    def update(self, x: Floats, present: Bools) -> Floats:
        """Add rows and return the averages after each row.

        Args:
            x: (rows, columns), finite where present.
            present: (rows, columns), False where a value is missing.

        Returns:
            (rows, columns) averages.
        """
        if len(x) == 1:
            self._weighted_sums += np.where(present[0], self._alpha * (x[0] - self._weighted_sums), 0.0)
            self._initial_weight = np.where(present[0], self._initial_weight * self._decay, self._initial_weight)
            return self.means[None]
        averages = np.empty(x.shape)
        for decay in distinct(self._decay):
            columns = np.flatnonzero(self._decay == decay)
            is_complete = present[:, columns].all(axis=0)
            complete = columns[is_complete]
            averages[:, complete] = self._average_complete(x[:, complete], decay, complete)
            for column in columns[~is_complete]:
                averages[:, column] = self._average_with_gaps(x[:, column], present[:, column], decay, column)
        return averages

    def previous_means(self, x: Floats, present: Bools) -> Floats:
        """Add rows and return the averages (rows, columns) before each row; arguments as for `update`."""
        first = self.means
        averages = self.update(x, present)
        return first[None] if len(x) == 1 else np.concatenate((first[None], averages[:-1]))

    def _average_with_gaps(self, x: Floats, present: Bools, decay: float, column: int) -> Floats:
        """Add rows to one column; a missing value leaves the average unchanged.

        Args:
            x: (rows,) values of the column.
            present: (rows,) False where a value is missing.
            decay: factor of the weights per row.
            column: index of the column.

        Returns:
            (rows,) averages after each row.
        """
        initial = self.means[column]
        averages = self._average_complete(x[present][:, None], decay, np.array([column]))[:, 0]
        return np.concatenate(([initial], averages))[np.cumsum(present)]

    def _average_complete(self, x: Floats, decay: float, columns: Integers) -> Floats:
        """Add rows to columns with the same half-life and no missing value.

        Args:
            x: (rows, columns) values, all present.
            decay: factor of the weights per row, the same for all these columns.
            columns: (columns,) indices of the columns.

        Returns:
            (rows, columns) averages after each row.
        """
        n = len(x)
        size = min(BATCH_ROWS, n)
        powers = decay ** np.arange(size + 1)
        lag = np.subtract.outer(np.arange(size), np.arange(size))
        weights = np.where(lag >= 0, (1.0 - decay) * powers[np.maximum(lag, 0)], 0.0)
        sums = np.empty(x.shape)
        for start in range(0, n, BATCH_ROWS):
            batch = x[start : start + BATCH_ROWS]
            rows = len(batch)
            carried = powers[1 : rows + 1, None] * self._weighted_sums[columns]
            sums[start : start + rows] = weights[:rows, :rows] @ batch + carried
            self._weighted_sums[columns] = sums[start + rows - 1]
        initial_weights = self._initial_weight[columns] * decay ** np.arange(1, n + 1)[:, None]
        if n:
            self._initial_weight[columns] = initial_weights[-1]
        return np.asarray(sums / (1.0 - initial_weights))
