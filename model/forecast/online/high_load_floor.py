"""Floor during high load: a prediction is at least that of the current value.

While load is high, the present load says most about the near future. A network whose inputs have left what it was
trained on may contradict it; the load table cannot.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.array_types import Bools, Floats
from model.forecast.blend import HorizonBlend
from model.forecast.log_odds import sigmoid


class HighLoadFloor:
    """Smallest probability during high load by the present load index, for each horizon of a model."""

    def __init__(self, blends: Sequence[HorizonBlend]) -> None:
        """Take the load tables of a model.

        Args:
            blends: of each horizon. One without a fitted load table, as that of the pretrained model, has no floor.
        """
        self._tables = [blend.load_table for blend in blends]

    def __call__(self, probabilities: Floats, high: Bools, load_index: Floats) -> tuple[Floats, Bools]:
        """Raise probabilities to the floor.

        Args:
            probabilities: (hosts, rows, horizons), which do not decrease with the horizon.
            high: (hosts, rows) True during high load.
            load_index: (hosts, rows) NaN if unknown.

        Returns:
            The probabilities, and True where one was raised; both (hosts, rows, horizons).
        """
        if not high.any():
            return probabilities, np.zeros(probabilities.shape, bool)
        floor = np.zeros(probabilities.shape)
        for i, table in enumerate(self._tables):
            if table.fitted:
                floor[high, i] = sigmoid(table(load_index[high]))
        floor = np.maximum.accumulate(floor, axis=2)
        raised = floor > probabilities
        return np.where(raised, floor, probabilities), raised
