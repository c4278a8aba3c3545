"""Persistence model: probability that high load persists, from load index and time since the onset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.forecast.blend import MIN_RATE, LoadTable, event_rates, fit_load_table
from model.forecast.calibration import BlendWeights, fit_blend_weights
from model.forecast.log_odds import logit, sigmoid

MIN_ROWS = 20
"""Smallest number of rows with a known label for a persistence model."""

DURATION_PRIOR_ROWS = 3.0
"""Weight of the mean event rate in each bin of the duration table, in rows (shrinkage)."""

PRIOR_WEIGHTS = (0.5, 0.5)
PRIOR_BLOCKS = 6.0
"""Prior weights of the two tables, and the effective sample size at which data and prior count equally."""


@dataclass(frozen=True)
class PersistenceModel:
    """Persistence model of one horizon: a weighted sum of the log-odds of two tables, plus an intercept.

    Attributes:
        load_table: mapping from load index to log-odds.
        duration_table: mapping from time since the onset, as scaled in the feature `load_index:since_onset`, to
            log-odds; not necessarily monotone.
        weights: blend weights of the two tables.
        most: upper limit of the log-odds, which increases with the number of blocks in the training data.
    """

    load_table: LoadTable
    duration_table: LoadTable
    weights: BlendWeights
    most: float

    def __call__(self, index: Floats, since_onset: Floats) -> Floats:
        """Return the probabilities (rows,) of high load within the horizon, for samples taken during high load.

        Args:
            index: (rows,) load index.
            since_onset: (rows,) time since the onset, as scaled in the feature `load_index:since_onset`.
        """
        by_load, by_duration = self.weights.weights
        z = by_load * self.load_table(index) + by_duration * self.duration_table(since_onset)
        return sigmoid(np.minimum(z + self.weights.intercept, self.most))


def fit_persistence(index: Floats, since_onset: Floats, y: Floats, block_rows: float) -> PersistenceModel | None:
    """Fit a persistence model to samples during high load.

    Args:
        index: (rows,) load index.
        since_onset: (rows,) time since the onset, as scaled in the feature `load_index:since_onset`.
        y: (rows,) labels, NaN if unknown.
        block_rows: number of neighbouring rows that count as one observation.

    Returns:
        The model; None if fewer than MIN_ROWS labels are known.
    """
    known = ~np.isnan(y)
    if known.sum() < MIN_ROWS:
        return None
    index, since_onset, y = (values[known].astype(np.float64) for values in (index, since_onset, y))
    blocks = len(y) / max(1.0, block_rows)
    # Additive smoothing with half a block of each outcome: a rate of 0 or 1 in few blocks is not certain.
    rate = (float(y.mean()) * blocks + 0.5) / (blocks + 1)
    load_table = fit_load_table(index, y)
    scores, rates, rows = event_rates(since_onset, y)
    shrunk = (rates * rows + rate * DURATION_PRIOR_ROWS) / (rows + DURATION_PRIOR_ROWS)
    duration_table = LoadTable(scores, logit(shrunk, MIN_RATE), float(logit(np.asarray(rate))))
    logits = np.stack([load_table(index), duration_table(since_onset)], axis=1)
    weights = fit_blend_weights(logits, y, PRIOR_WEIGHTS, block_rows, PRIOR_BLOCKS)
    most = float(logit(np.asarray((blocks + 0.5) / (blocks + 1))))
    return PersistenceModel(load_table, duration_table, weights, most)
