"""Loss base class: mean over the known labels, and its gradient.

Value and gradient are separate methods, because training needs the gradient at each step and the value once per
epoch. Both methods take `Targets`, so labels are checked and encoded only once.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.errors import InputError, InputProblem
from model.nn.execution.array_ops import EAGER, ArrayOps
from model.nn.numerics import SMALL_SIZE


class Targets(NamedTuple):
    """Checked labels, encoded for a loss.

    Attributes:
        values: encoded labels (rows, outputs), finite.
        weight: weight of each label (rows, outputs) or row (rows, 1), 0 if unknown; None if all weights are 1.
    """

    values: Floats
    weight: Floats | None

    def take(self, rows: Integers | slice) -> Targets:
        """Return the targets of the given rows: views for a slice, copies for row indices."""
        if isinstance(rows, slice):
            return Targets(self.values[rows], None if self.weight is None else self.weight[rows])
        return Targets(self.values.take(rows, 0), None if self.weight is None else self.weight.take(rows, 0))


class Loss(ABC):
    """Loss function: mean over the known labels; unknown labels (NaN) do not affect the value or the gradient.

    A subclass implements `_terms` and `_derivative`. It may override `_check`, `_weights` and `_encode`.
    """

    per_row = False
    """True for a mean over the rows in which all labels are known, False for a mean over the known labels."""

    factor = 1.0
    """Constant factor of the derivative; `_derivative` omits it and `gradient_scale` includes it."""

    def __call__(self, logits: Floats, y: Floats) -> tuple[float, Floats]:
        """Return the loss and dL/d(logits) for logits and labels of shape (rows, outputs).

        Raises:
            InputError: the shapes differ, or a label is invalid for this loss.
        """
        if logits.shape != np.shape(y):
            raise InputError(
                f"outputs {logits.shape} and labels {np.shape(y)} must have the same shape", InputProblem.SHAPE
            )
        targets = self.targets(y, logits.dtype)
        return self.value(logits, targets), self.gradient(logits, targets)

    def targets(self, y: Floats, dtype: Any) -> Targets:
        """Check and encode labels.

        Args:
            y: labels (rows, outputs); NaN is an unknown label.
            dtype: dtype of the result.

        Raises:
            InputError: a label is invalid for this loss.
        """
        with np.errstate(over="ignore"):
            y = np.asarray(y).astype(dtype)
        unknown = np.isnan(y)
        self._check(y, unknown)
        if self.per_row:
            unknown = np.asarray(unknown.any(axis=1, keepdims=True))
        weight = self._weights(y)
        if unknown.any():
            weight = np.where(unknown, 0, 1 if weight is None else weight)
            y = np.where(unknown, 0, y)
        return Targets(self._encode(y), None if weight is None else weight.astype(dtype))

    def value(self, logits: Floats, targets: Targets) -> float:
        """Return the sum of the weighted terms, divided by the number of known labels (known rows if `per_row`)."""
        terms = self._terms(logits, targets.values)
        if targets.weight is not None:
            terms = terms * targets.weight
        return _sum(terms) / self._count(targets)

    def gradient(self, logits: Floats, targets: Targets) -> Floats:
        """Return dL/d(logits), (rows, outputs)."""
        scale = np.asarray(self.gradient_scale(targets), logits.dtype)
        return self.compute_gradient(logits, targets, scale, EAGER)

    def compute_gradient(self, logits: Floats, targets: Targets, scale: Floats, ops: ArrayOps) -> Floats:
        """Return dL/d(logits) (rows, outputs).

        Args:
            logits: (rows, outputs).
            targets: encoded labels of the rows of `logits`.
            scale: `gradient_scale` of the targets as 0-d array.
            ops: executor for all array calls.
        """
        derivative = self._derivative(logits, targets.values, ops)
        if targets.weight is not None:
            ops(np.multiply, derivative, targets.weight, out=derivative)
        return ops(np.multiply, derivative, scale, out=derivative)

    def gradient_scale(self, targets: Targets) -> float:
        """Return the factor that converts `_derivative` to dL/d(logits).

        It is `factor` divided by the number of known labels (known rows if `per_row`).
        """
        return self.factor / self._count(targets)

    def predictions(self, logits: Floats) -> Floats:
        """Apply the output activation: return predictions, e.g. probabilities, for logits (rows, outputs)."""
        return logits

    def constant_output(self, y: Floats) -> int | None:  # noqa: ARG002
        """Return the index of the first output whose labels in `y` (rows, outputs) have one class only.

        For a loss with one output per class, return the output of the only class in `y`. Return None if there is no
        such output, or if the labels of this loss are not classes.
        """
        return None

    def base_rate_bias(self, y: Floats) -> Floats | None:  # noqa: ARG002
        """Return the output biases (outputs,) that predict the base rate of each output in the labels `y`.

        Return None if the loss does not define them.
        """
        return None

    def _count(self, targets: Targets) -> int:
        if targets.weight is None:
            return len(targets.values) if self.per_row else targets.values.size
        return max(1, int(np.count_nonzero(targets.weight)))

    def _check(self, y: Floats, unknown: Bools) -> None:
        require_valid(y, np.isfinite(y) | unknown, "is not finite")

    def _weights(self, y: Floats) -> Floats | None:  # noqa: ARG002
        """Return the weight of each label (rows, outputs); None if all weights are 1."""
        return None

    def _encode(self, y: Floats) -> Floats:
        return y

    @abstractmethod
    def _terms(self, logits: Floats, values: Floats) -> Floats:
        """Return the loss of each label (rows, outputs) or row (rows, 1) in a new array."""

    @abstractmethod
    def _derivative(self, logits: Floats, values: Floats, ops: ArrayOps) -> Floats:
        """Return the derivative of each term with respect to its logit, divided by `factor`, in a new array."""


def require_valid(y: Floats, valid: Bools, problem: str) -> None:
    """Raise InputError with the first invalid label and its position; no effect if all labels are valid.

    Args:
        y: labels (rows, outputs).
        valid: mask of the valid labels, same shape.
        problem: predicate for the message, e.g. "is not finite".
    """
    if not valid.all():
        row, output = np.argwhere(~valid)[0]
        raise InputError(f"label {y[row, output]:g} (row {row}, output {output}) {problem}", InputProblem.LABEL)


def _sum(terms: Floats) -> float:
    if terms.size < SMALL_SIZE:
        return math.fsum(terms.ravel().tolist())
    return float(np.add.reduce(terms, None, np.float64))
