"""Loss base class: mean over the known labels, and its gradient.

Training needs the gradient at each step and the value once per epoch, so the two are separate methods. Both take
`Targets`, the labels checked and encoded once.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.errors import InputError, InputProblem
from model.nn.numerics import EAGER, SMALL_SIZE, ArrayOps


class Targets(NamedTuple):
    """Checked labels, encoded for a loss.

    Attributes:
        values: (rows, outputs), finite.
        weight: (rows, outputs) or (rows, 1), 0 where the label is unknown; None if all labels count equally.
    """

    values: Floats
    weight: Floats | None

    def take(self, rows: Integers | slice) -> Targets:
        """Select rows: views for a slice, copies for row numbers."""
        if isinstance(rows, slice):
            return Targets(self.values[rows], None if self.weight is None else self.weight[rows])
        return Targets(self.values.take(rows, 0), None if self.weight is None else self.weight.take(rows, 0))


class Loss(ABC):
    """Mean loss over the known labels; an unknown label is NaN and contributes neither value nor gradient.

    A subclass implements `_terms` and `_slope`, and overrides checks, encoding and weights of the labels as needed.
    """

    per_row = False
    """True if a row counts once, False if each of its outputs counts."""

    factor = 1.0
    """Constant factor that `_slope` leaves out."""

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
        """Check and encode labels (rows, outputs); NaN is an unknown label.

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
        """Return the mean loss over the known labels."""
        terms = self._terms(logits, targets.values)
        if targets.weight is not None:
            terms = terms * targets.weight
        return _sum(terms) / self._count(targets)

    def gradient(self, logits: Floats, targets: Targets) -> Floats:
        """Return dL/d(logits), (rows, outputs)."""
        scale = np.asarray(self.gradient_scale(targets), logits.dtype)
        return self.compute_gradient(logits, targets, scale, EAGER)

    def compute_gradient(self, logits: Floats, targets: Targets, scale: Floats, ops: ArrayOps) -> Floats:
        """Return dL/d(logits) (rows, outputs); every array operation goes through `ops`.

        Args:
            logits: (rows, outputs).
            targets: labels of these rows.
            scale: `gradient_scale` of the targets as 0-d array.
            ops: executor that runs or records the array operations.
        """
        slope = self._slope(logits, targets.values, ops)
        if targets.weight is not None:
            ops(np.multiply, slope, targets.weight, out=slope)
        return ops(np.multiply, slope, scale, out=slope)

    def gradient_scale(self, targets: Targets) -> float:
        """Return the factor on the slopes: the constant `factor` over the number of known labels."""
        return self.factor / self._count(targets)

    def predictions(self, logits: Floats) -> Floats:
        """Convert logits to predictions on the scale of the labels, e.g. probabilities."""
        return logits

    def constant_output(self, y: Floats) -> int | None:  # noqa: ARG002
        """Return the index of the first output whose known labels (rows, outputs) are all equal; None without one."""
        return None

    def base_rate_bias(self, y: Floats) -> Floats | None:  # noqa: ARG002
        """Return the output biases (outputs,) that predict the base rate of each label; None if not defined."""
        return None

    def _count(self, targets: Targets) -> int:
        if targets.weight is None:
            return len(targets.values) if self.per_row else targets.values.size
        return max(1, int(np.count_nonzero(targets.weight)))

    def _check(self, y: Floats, unknown: Bools) -> None:
        require_valid(y, np.isfinite(y) | unknown, "is not finite")

    def _weights(self, y: Floats) -> Floats | None:  # noqa: ARG002
        """Return the weight of each label (rows, outputs); None if all labels count equally."""
        return None

    def _encode(self, y: Floats) -> Floats:
        return y

    @abstractmethod
    def _terms(self, logits: Floats, values: Floats) -> Floats:
        """Return the loss of each label (rows, outputs) or row (rows, 1) in a new array."""

    @abstractmethod
    def _slope(self, logits: Floats, values: Floats, ops: ArrayOps) -> Floats:
        """Return the derivative of each term by its logit, without `factor`, in a new array."""


def require_valid(y: Floats, valid: Bools, problem: str) -> None:
    """Raise InputError that names the first invalid label of (rows, outputs) and its position."""
    if not valid.all():
        row, output = np.argwhere(~valid)[0]
        raise InputError(f"label {y[row, output]:g} (row {row}, output {output}) {problem}", InputProblem.LABEL)


def _sum(terms: Floats) -> float:
    if terms.size < SMALL_SIZE:
        return math.fsum(terms.ravel().tolist())
    return float(np.add.reduce(terms, None, np.float64))
