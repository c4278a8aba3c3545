"""Regression losses: squared error, Huber and pinball (quantile) loss."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats
from model.errors import InputError, InputProblem
from model.nn.checks import require_setting
from model.nn.execution.array_ops import ArrayOps
from model.nn.losses.base import Loss


@dataclass(frozen=True)
class MSE(Loss):
    """Squared error (z - y)^2; dL/dz = 2 (z - y)."""

    factor = 2.0

    def _terms(self, logits: Floats, values: Floats) -> Floats:
        return np.square(logits - values)

    def _derivative(self, logits: Floats, values: Floats, ops: ArrayOps) -> Floats:
        return ops(np.subtract, logits, values)


@dataclass(frozen=True)
class Huber(Loss):
    """Huber loss (Huber 1964) of e = z - y: e^2 / 2 for |e| <= delta, else delta (|e| - delta / 2)."""

    delta: float = 1.0

    def __post_init__(self) -> None:
        require_setting(0 < self.delta < math.inf, "delta", self.delta, "above 0 and finite")

    def _terms(self, logits: Floats, values: Floats) -> Floats:
        e = np.abs(logits - values)
        quadratic = np.minimum(e, self.delta)
        return np.asarray(quadratic * (e - quadratic / 2))

    def _derivative(self, logits: Floats, values: Floats, ops: ArrayOps) -> Floats:
        e = ops(np.subtract, logits, values)
        return ops(np.clip, e, -self.delta, self.delta, out=e)


@dataclass(frozen=True)
class Pinball(Loss):
    """Quantile loss (Koenker and Bassett 1978) of e = y - z: max(q e, (q - 1) e), one quantile q per output."""

    quantiles: tuple[float, ...] = (0.5,)

    def __post_init__(self) -> None:
        valid = bool(self.quantiles) and all(0 < q < 1 for q in self.quantiles)
        require_setting(valid, "quantiles", self.quantiles, "above 0 and below 1, one per output")

    def _check(self, y: Floats, unknown: Bools) -> None:
        super()._check(y, unknown)
        if y.shape[1] != len(self.quantiles):
            raise InputError(f"labels have {y.shape[1]} outputs, quantiles {len(self.quantiles)}", InputProblem.SHAPE)

    def _terms(self, logits: Floats, values: Floats) -> Floats:
        e = values - logits
        q = np.asarray(self.quantiles, logits.dtype)
        return np.asarray(np.maximum(q * e, (q - 1) * e))

    def _derivative(self, logits: Floats, values: Floats, ops: ArrayOps) -> Floats:
        over = ops(np.greater_equal, logits, values)
        return ops(np.subtract, over, np.asarray(self.quantiles, logits.dtype))
