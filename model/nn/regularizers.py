"""Penalties on the size of the weights, added to the loss. Biases are not penalised: they bend nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Floats


@dataclass(frozen=True)
class Penalty:
    """l1 sum |w| + l2 / 2 sum w^2, with the derivative l1 sign(w) + l2 w.

    (`weight_decay` of AdamW is another thing: it pulls on the weights past the optimizer's moments.)
    """

    l1: float = 0.0
    l2: float = 0.0

    def value(self, weights: Floats) -> float:
        """What is added to the loss; weights of any shape."""
        value = 0.0
        if self.l1:
            value += self.l1 * float(np.abs(weights).sum(dtype=np.float64))
        if self.l2:
            value += self.l2 / 2 * float(np.square(weights, dtype=np.float64).sum())
        return value

    def add_gradient(self, weights: Floats, gradient: Floats) -> None:
        """Adds the penalty's derivative to `gradient`, of the same shape."""
        if self.l1:
            gradient += np.sign(weights) * weights.dtype.type(self.l1)
        if self.l2:
            gradient += weights * weights.dtype.type(self.l2)
