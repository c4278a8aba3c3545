"""Losses fused with the output they belong to.

Fusing is not only faster: the derivative of the pair is `a - y`, which does not vanish where a sigmoid
saturates on the wrong side, and no logarithm of zero can occur.

A training asks for the gradient at each step and for the value once an epoch, so the two are apart, and what they
need of the labels is made once (`targets`).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from model.array_types import FEW, Bools, Floats, Integers, constant
from model.errors import InputError
from model.nn.compiled_step import Run, call, largest_in_row
from model.nn.numerics import logit, sigmoid, softmax, softplus


class Targets(NamedTuple):
    """Labels as a loss wants them.

    Attributes:
        values: (rows, outputs), finite.
        weight: (rows, outputs) or (rows, 1), 0 where the label is unknown; None where all count the same.
    """

    values: Floats
    weight: Floats | None

    def take(self, rows: Integers | slice) -> Targets:
        """Some of the rows; a slice gives views."""
        if isinstance(rows, slice):
            return Targets(self.values[rows], None if self.weight is None else self.weight[rows])
        return Targets(self.values.take(rows, 0), None if self.weight is None else self.weight.take(rows, 0))


class Loss(ABC):
    """Mean loss over the labels that are known; an unknown label is NaN, neither counts nor passes a gradient."""

    per_row = False
    """Whether a row counts once, and not each of its outputs."""

    factor = 1.0
    """What the slope is multiplied by, together with the division by the number of labels."""

    def __call__(self, z: Floats, y: Floats) -> tuple[float, Floats]:
        """Outputs of the network and labels, both (rows, outputs), to (loss, dL/dz)."""
        if z.shape != np.shape(y):
            raise InputError(f"outputs {z.shape} and labels {np.shape(y)} must be of one shape")
        targets = self.targets(y, z.dtype)
        return self.value(z, targets), self.gradient(z, targets)

    def targets(self, y: Floats, dtype: Any) -> Targets:
        """Labels (rows, outputs), NaN for unknown, checked and made ready.

        Raises:
            InputError: a label is none.
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

    def value(self, z: Floats, targets: Targets) -> float:
        """The mean loss over the known labels."""
        terms = self._terms(z, targets.values)
        if targets.weight is not None:
            terms = terms * targets.weight
        return _total(terms) / self._count(targets)

    def gradient(self, z: Floats, targets: Targets, run: Run = call, scale: Floats | None = None) -> Floats:
        """dL/dz, (rows, outputs).

        Args:
            z: (rows, outputs).
            targets: for them.
            run: through which every array function is called.
            scale: 0-d, the result of `scale`, where the caller keeps it.
        """
        if scale is None:
            scale = np.asarray(self.scale(targets), z.dtype)
        slope = self._slope(z, targets.values, run)
        if targets.weight is not None:
            run(np.multiply, slope, targets.weight, slope)
        return run(np.multiply, slope, scale, slope)

    def scale(self, targets: Targets) -> float:
        """What the slopes of these targets are multiplied by: the division by their number is in it."""
        return self.factor / self._count(targets)

    def output(self, z: Floats) -> Floats:
        """What the network says, in the labels' own terms."""
        return z

    def single(self, y: Floats) -> int | None:  # noqa: ARG002
        """The first output of which only one class is among the known labels (rows, outputs), or None."""
        return None

    def start(self, y: Floats) -> Floats | None:  # noqa: ARG002
        """(outputs,) biases at which a network that knows nothing else already says how often each label occurs."""
        return None

    def _count(self, targets: Targets) -> int:
        if targets.weight is None:
            return len(targets.values) if self.per_row else targets.values.size
        return max(1, int(np.count_nonzero(targets.weight)))

    def _check(self, y: Floats, unknown: Bools) -> None:
        _refuse(y, ~np.isfinite(y) & ~unknown, "is not finite")

    def _weights(self, y: Floats) -> Floats | None:  # noqa: ARG002
        """(rows, outputs) how much each label counts; None where all count the same."""
        return None

    def _encode(self, y: Floats) -> Floats:
        return y

    @abstractmethod
    def _terms(self, z: Floats, values: Floats) -> Floats:
        """The loss of each label (or row), new memory."""

    @abstractmethod
    def _slope(self, z: Floats, values: Floats, run: Run) -> Floats:
        """Its derivative by each z, without the `factor`; new memory."""


def _refuse(y: Floats, wrong: Bools, what: str) -> None:
    if wrong.any():
        row, output = np.argwhere(wrong)[0]
        raise InputError(f"label {y[row, output]:g} (row {row}, output {output}) {what}")


@dataclass(frozen=True)
class BCEWithLogits(Loss):
    """Binary cross-entropy of a = sigmoid(z) for labels 0 and 1.

    With s = 1 - 2 y the loss is log(1 + exp(s z)) and its derivative a - y = (tanh(z / 2) + s) / 2.

    Attributes:
        positive_weight: how many times a label 1 counts, for events that are rare.
        output_weights: how many times the labels of each output count; None where all count the same.
    """

    positive_weight: float = 1.0
    output_weights: tuple[float, ...] | None = None

    factor = 0.5

    def __post_init__(self) -> None:
        if not all(0 < weight < math.inf for weight in (self.positive_weight, *(self.output_weights or ()))):
            raise ValueError(f"a weight is above 0 and finite, not as in {self}")

    def _check(self, y: Floats, unknown: Bools) -> None:
        _refuse(y, (y != 0) & (y != 1) & ~unknown, "is neither 0 nor 1 nor unknown")
        if self.output_weights is not None and y.shape[1] != len(self.output_weights):
            raise InputError(f"labels have {y.shape[1]} outputs, the loss {len(self.output_weights)} weights")

    def _weights(self, y: Floats) -> Floats | None:
        if self.positive_weight == 1 and self.output_weights is None:
            return None
        weights = np.where(y == 1, self.positive_weight, 1.0)
        return weights if self.output_weights is None else weights * np.asarray(self.output_weights)

    def _encode(self, y: Floats) -> Floats:
        return 1 - 2 * y

    def _terms(self, z: Floats, values: Floats) -> Floats:
        return softplus(values * z)

    def _slope(self, z: Floats, values: Floats, run: Run) -> Floats:
        half = run(np.multiply, z, constant(0.5, (), z.dtype))
        run(np.tanh, half, half)
        return run(np.add, half, values, half)

    def output(self, z: Floats) -> Floats:
        return sigmoid(z)

    def single(self, y: Floats) -> int | None:
        alone = np.flatnonzero(~((y == 0).any(axis=0) & (y == 1).any(axis=0)))
        return int(alone[0]) if len(alone) else None

    def start(self, y: Floats) -> Floats:
        known = ~np.isnan(y)
        return logit(np.where(known, y, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), floor=1e-3)


@dataclass(frozen=True)
class CrossEntropyWithLogits(Loss):
    """Cross-entropy of a = softmax(z) for labels (rows, classes) that are each row's probabilities, e.g. `one_hot`.

    L = log(sum of exp(z)) - z . y; dL/dz = a - y.
    """

    per_row = True

    def _check(self, y: Floats, unknown: Bools) -> None:
        _refuse(y, ((y < 0) | (y > 1)) & ~unknown, "is outside 0 and 1")
        sums = y.sum(axis=1, keepdims=True)
        _refuse(sums, np.abs(sums - 1) > 1e-3, "is the sum of a row that should add up to 1")

    def _terms(self, z: Floats, values: Floats) -> Floats:
        z = z - largest_in_row(z)
        ones = constant(1.0, (z.shape[1], 1), z.dtype)
        return np.asarray(np.log(np.exp(z).dot(ones)) - (z * values).dot(ones))

    def _slope(self, z: Floats, values: Floats, run: Run) -> Floats:
        a = softmax(z, run)
        return run(np.subtract, a, values, a)

    def output(self, z: Floats) -> Floats:
        return softmax(z)

    def single(self, y: Floats) -> int | None:
        present = np.flatnonzero(np.nansum(y, axis=0))
        return int(present[0]) if len(present) == 1 else None


@dataclass(frozen=True)
class MSE(Loss):
    """(z - y)^2; dL/dz = 2 (z - y)."""

    factor = 2.0

    def _terms(self, z: Floats, values: Floats) -> Floats:
        return np.square(z - values)

    def _slope(self, z: Floats, values: Floats, run: Run) -> Floats:
        return run(np.subtract, z, values)


@dataclass(frozen=True)
class Huber(Loss):
    """e^2 / 2 for |e| up to delta, delta (|e| - delta / 2) beyond, with e = z - y (Huber 1964)."""

    delta: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.delta < math.inf:
            raise ValueError(f"Huber's delta is above 0 and finite, not {self.delta}")

    def _terms(self, z: Floats, values: Floats) -> Floats:
        e = np.abs(z - values)
        near = np.minimum(e, self.delta)
        return np.asarray(near * (e - near / 2))

    def _slope(self, z: Floats, values: Floats, run: Run) -> Floats:
        e = run(np.subtract, z, values)
        return run(np.clip, e, -self.delta, self.delta, e)


@dataclass(frozen=True)
class Pinball(Loss):
    """Quantile loss, one quantile an output: max(q e, (q - 1) e) with e = y - z (Koenker and Bassett 1978)."""

    quantiles: tuple[float, ...] = (0.5,)

    def __post_init__(self) -> None:
        if not self.quantiles or not all(0 < q < 1 for q in self.quantiles):
            raise ValueError(f"quantiles are between 0 and 1, one an output, not {self.quantiles}")

    def _check(self, y: Floats, unknown: Bools) -> None:
        super()._check(y, unknown)
        if y.shape[1] != len(self.quantiles):
            raise InputError(f"labels have {y.shape[1]} outputs, the loss {len(self.quantiles)} quantiles")

    def _terms(self, z: Floats, values: Floats) -> Floats:
        e, q = values - z, np.asarray(self.quantiles, z.dtype)
        return np.asarray(np.maximum(q * e, (q - 1) * e))

    def _slope(self, z: Floats, values: Floats, run: Run) -> Floats:
        over = run(np.greater_equal, z, values)
        return run(np.subtract, over, np.asarray(self.quantiles, z.dtype))


def _total(terms: Floats) -> float:
    if terms.size < FEW:
        return math.fsum(terms.ravel().tolist())
    return float(np.add.reduce(terms, None, np.float64))


LOSSES: dict[str, type[Loss]] = {
    "bce": BCEWithLogits,
    "cross_entropy": CrossEntropyWithLogits,
    "mse": MSE,
    "huber": Huber,
    "pinball": Pinball,
}
