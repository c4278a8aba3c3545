"""High-load floor: the persistence model limits predictions from below in a high-load period.

The present load and the time since the onset are the best predictors of continued high load. Networks are unreliable
on inputs outside their training range. The floor also applies in short dips, which are caused by noise. In longer
dips, the networks are more accurate.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model.array_types import Bools, Floats
from model.forecast.log_odds import sigmoid
from model.forecast.predictor import Predictor

MIN_PROBABILITY = 0.2
"""Lowest floor: a lower probability would contradict high load, even if the load may have ended a moment ago."""

Baseline = Callable[[Floats, Floats], Floats]
"""Mapping from load index (rows,) and time since the onset (rows,) to probabilities (rows,)."""


class HighLoadFloor:
    """Lower limit of the probability in a high-load period, for each horizon of a predictor."""

    def __init__(self, predictor: Predictor) -> None:
        """Create the floor of a predictor.

        The floor of a horizon is the probability from its persistence model, or from its load table if there is no
        persistence model, and at least MIN_PROBABILITY. The bootstrap model has neither: its floor is
        MIN_PROBABILITY.

        Args:
            predictor: the serving model.
        """
        self._columns = [predictor.spec.column_index[f"load_index:{name}"] for name in ("last", "since_onset")]
        self._baselines = [_baseline(predictor, i) for i in range(len(predictor.horizons))]

    def __call__(self, probabilities: Floats, features: Floats, rows: Bools) -> tuple[Floats, Bools]:
        """Raise the probabilities that are below the floor to the floor.

        Args:
            probabilities: (hosts, rows, horizons), non-decreasing over the horizons.
            features: (hosts, rows, features) of the predictor's spec.
            rows: (hosts, rows) True where the floor applies, in high-load periods only.

        Returns:
            The raised probabilities, and True where a probability was raised; both (hosts, rows, horizons).
        """
        if not np.count_nonzero(rows):
            return probabilities, np.zeros(probabilities.shape, bool)
        index, since_onset = (features[..., column][rows].astype(np.float64) for column in self._columns)
        floor = np.zeros(probabilities.shape)
        floor[rows] = MIN_PROBABILITY
        for i, baseline in enumerate(self._baselines):
            if baseline is not None:
                floor[rows, i] = np.maximum(baseline(index, since_onset), MIN_PROBABILITY)
        floor = np.maximum.accumulate(floor, axis=2)
        raised = floor > probabilities
        return np.where(raised, floor, probabilities), raised


def _baseline(predictor: Predictor, horizon: int) -> Baseline | None:
    """Return the persistence model at index `horizon`, or the load table if there is none; None if neither exists."""
    if predictor.persistence:
        persistence = predictor.persistence[horizon]
        if persistence is not None:
            return persistence
    table = predictor.blends[horizon].load_table
    if not table.fitted:
        return None
    return lambda index, _: sigmoid(table(index))
