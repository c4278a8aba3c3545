"""Floor during high load: a prediction is at least that of persistence.

While load is high, the present load and the time since the onset say most about the near future. A network whose
inputs have left what it was trained on may contradict them; persistence cannot.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model.array_types import Bools, Floats
from model.forecast.log_odds import sigmoid
from model.forecast.predictor import Predictor

Baseline = Callable[[Floats, Floats], Floats]
"""From load index and time since the onset (rows,) to probabilities (rows,)."""


class HighLoadFloor:
    """Smallest probability during high load, for each horizon of a model."""

    def __init__(self, predictor: Predictor) -> None:
        """Take the persistence models of a predictor.

        Args:
            predictor: a horizon without a persistence model has the load table as its floor. The bootstrap model has
                neither, and no floor.
        """
        self._columns = [predictor.spec.column_index[f"load_index:{name}"] for name in ("last", "since_onset")]
        self._baselines = [_baseline(predictor, i) for i in range(len(predictor.horizons))]

    def __call__(self, probabilities: Floats, features: Floats, high: Bools) -> tuple[Floats, Bools]:
        """Raise probabilities to the floor.

        Args:
            probabilities: (hosts, rows, horizons), which do not decrease with the horizon.
            features: (hosts, rows, features).
            high: (hosts, rows) True during high load.

        Returns:
            The probabilities, and True where one was raised; both (hosts, rows, horizons).
        """
        if not high.any():
            return probabilities, np.zeros(probabilities.shape, bool)
        index, since_onset = (features[..., column][high].astype(np.float64) for column in self._columns)
        floor = np.zeros(probabilities.shape)
        for i, baseline in enumerate(self._baselines):
            if baseline is not None:
                floor[high, i] = baseline(index, since_onset)
        floor = np.maximum.accumulate(floor, axis=2)
        raised = floor > probabilities
        return np.where(raised, floor, probabilities), raised


def _baseline(predictor: Predictor, horizon: int) -> Baseline | None:
    """Return the baseline of one horizon (its position); None without any."""
    if predictor.persistence:
        persistence = predictor.persistence[horizon]
        if persistence is not None:
            return persistence
    table = predictor.blends[horizon].load_table
    if not table.fitted:
        return None
    return lambda index, _: sigmoid(table(index))
