"""Classification losses: binary and categorical cross-entropy on logits.

Each loss includes its output activation a(z), so dL/dz = a - y. This gradient does not vanish at saturated
wrong outputs, and no logarithm of zero occurs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats, Integers, constant
from model.errors import InputError, InputProblem
from model.nn.checks import require_setting
from model.nn.execution.array_ops import ArrayOps, row_maximum
from model.nn.losses.base import Loss, require_valid
from model.nn.numerics import compute_softmax, logit, sigmoid, softmax, softplus


@dataclass(frozen=True)
class BCEWithLogits(Loss):
    """Binary cross-entropy of a = sigmoid(z) for labels 0 and 1.

    With s = 1 - 2 y: L = log(1 + exp(s z)); dL/dz = a - y = (tanh(z / 2) + s) / 2.

    Attributes:
        positive_weight: weight of a label 1 relative to a label 0; above 1 for rare events.
        output_weights: for each output, a factor on the weights of its labels; None for factors of 1.
    """

    positive_weight: float = 1.0
    output_weights: tuple[float, ...] | None = None

    factor = 0.5

    def __post_init__(self) -> None:
        valid = 0 < self.positive_weight < math.inf
        require_setting(valid, "positive_weight", self.positive_weight, "above 0 and finite")
        valid = all(0 < weight < math.inf for weight in self.output_weights or ())
        require_setting(valid, "output_weights", self.output_weights, "above 0 and finite")

    def _check(self, y: Floats, unknown: Bools) -> None:
        require_valid(y, (y == 0) | (y == 1) | unknown, "is neither 0 nor 1 nor unknown")
        if self.output_weights is not None and y.shape[1] != len(self.output_weights):
            raise InputError(
                f"labels have {y.shape[1]} outputs, output_weights {len(self.output_weights)}", InputProblem.SHAPE
            )

    def _weights(self, y: Floats) -> Floats | None:
        if self.positive_weight == 1 and self.output_weights is None:
            return None
        weights = np.where(y == 1, self.positive_weight, 1.0)
        return weights if self.output_weights is None else weights * np.asarray(self.output_weights)

    def _encode(self, y: Floats) -> Floats:
        return 1 - 2 * y

    def _terms(self, logits: Floats, values: Floats) -> Floats:
        return softplus(values * logits)

    def _derivative(self, logits: Floats, values: Floats, ops: ArrayOps) -> Floats:
        half = ops(np.multiply, logits, constant(0.5, (), logits.dtype))
        ops(np.tanh, half, out=half)
        return ops(np.add, half, values, out=half)

    def predictions(self, logits: Floats) -> Floats:
        return sigmoid(logits)

    def constant_output(self, y: Floats) -> int | None:
        both_classes = (y == 0).any(axis=0) & (y == 1).any(axis=0)
        outputs = np.flatnonzero(~both_classes)
        return int(outputs[0]) if len(outputs) else None

    def base_rate_bias(self, y: Floats) -> Floats:
        known = ~np.isnan(y)
        base_rate = np.where(known, y, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return logit(base_rate, floor=1e-3)


@dataclass(frozen=True)
class CrossEntropyWithLogits(Loss):
    """Cross-entropy of a = softmax(z) for labels (rows, classes) that are probabilities, e.g. from `encode_classes`.

    L = log(sum of exp(z)) - z . y; dL/dz = a - y.
    """

    per_row = True

    def _check(self, y: Floats, unknown: Bools) -> None:
        require_valid(y, ~((y < 0) | (y > 1)) | unknown, "is outside 0 and 1")
        sums = y.sum(axis=1, keepdims=True)
        require_valid(sums, ~(np.abs(sums - 1) > 1e-3), "is the sum of a row that should add up to 1")

    def _terms(self, logits: Floats, values: Floats) -> Floats:
        z = logits - row_maximum(logits)
        row_sum = constant(1.0, (z.shape[1], 1), z.dtype)
        return np.asarray(np.log(np.exp(z).dot(row_sum)) - (z * values).dot(row_sum))

    def _derivative(self, logits: Floats, values: Floats, ops: ArrayOps) -> Floats:
        a = compute_softmax(logits, ops)
        return ops(np.subtract, a, values, out=a)

    def predictions(self, logits: Floats) -> Floats:
        return softmax(logits)

    def constant_output(self, y: Floats) -> int | None:
        classes = np.flatnonzero(np.nansum(y, axis=0))
        return int(classes[0]) if len(classes) == 1 else None


def encode_classes(labels: Integers, classes: int) -> Floats:
    """Encode class indices (rows,) as float32 one-hot vectors (rows, classes).

    Raises:
        InputError: a label is not an integer from 0 to classes - 1.
    """
    labels = np.asarray(labels)
    invalid = (labels < 0) | (labels >= classes) | (labels != np.floor(labels))
    if invalid.any():
        row = int(np.argmax(invalid))
        message = f"label {labels[row]} (row {row}) is not one of the {classes} classes 0 to {classes - 1}"
        raise InputError(message, InputProblem.LABEL)
    return np.eye(classes, dtype=np.float32)[labels.astype(np.intp)]
