"""Training and validation examples: checks, conversion to targets, and losses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.errors import InputError, InputProblem
from model.nn.losses import Loss, Targets
from model.nn.network import Network

SAMPLE_ROWS = 1024
"""Largest number of examples on which `TrainingData.sampled_loss` measures the loss."""


@dataclass(frozen=True)
class Examples:
    """Inputs and labels for training or validation.

    Attributes:
        x: inputs (rows, inputs), finite.
        y: labels (rows, outputs), NaN if unknown.
    """

    x: Floats
    y: Floats


class TrainingData:
    """Checked training and validation examples of one training run.

    Args:
        network: network to fit.
        loss: loss function to minimize.
        train: training examples.
        validation: validation examples; None if there are none.

    Attributes:
        network: network to fit.
        inputs: (rows, inputs) of the training examples.
        targets: encoded labels of the training examples.
        validation: inputs (rows, inputs) and targets of the validation examples; None if there are none.

    Raises:
        InputError: invalid examples, or training labels of one class only.
    """

    def __init__(self, network: Network, loss: Loss, train: Examples, validation: Examples | None) -> None:
        self.network = network
        self._loss = loss
        self.inputs, self.targets = prepare(network, loss, train, "training")
        _require_known(train.y, "training")
        output = loss.constant_output(np.asarray(train.y))
        if output is not None:
            raise InputError(f"training labels: output {output} has only one class", InputProblem.SINGLE_CLASS)
        self.validation = None if validation is None else prepare(network, loss, validation, "validation")

    @property
    def shapes(self) -> list[tuple[int, ...] | None]:
        """Shapes of training inputs, training labels and validation inputs (None if there are none)."""
        validation = None if self.validation is None else self.validation[0].shape
        return [self.inputs.shape, self.targets.values.shape, validation]

    @property
    def evaluation_inputs(self) -> Floats:
        """Inputs (rows, inputs) of the validation examples, or of the training examples if there are none."""
        return self.inputs if self.validation is None else self.validation[0]

    def sampled_loss(self) -> float:
        """Return the loss of the network on at most `SAMPLE_ROWS` evenly spaced training examples."""
        rows = slice(None, None, max(1, -(-len(self.inputs) // SAMPLE_ROWS)))
        return self._loss.value(self.network.predict(self.inputs[rows]), self.targets.take(rows))

    def validation_loss(self) -> float:
        """Return the validation loss of the network; NaN if there are no validation examples."""
        if self.validation is None:
            return math.nan
        inputs, targets = self.validation
        return self._loss.value(self.network.predict(inputs), targets)


def prepare(network: Network, loss: Loss, examples: Examples, name: str) -> tuple[Floats, Targets]:
    """Check examples; convert the inputs to the network's dtype and the labels to targets.

    Args:
        network: network that defines the numbers of inputs and outputs, and the dtype.
        loss: loss function that checks and encodes the labels.
        examples: examples to prepare; inputs are copied only if their dtype differs from the network's.
        name: name of the examples in error messages, e.g. "training".

    Returns:
        Inputs (rows, inputs), and targets.

    Raises:
        InputError: an array has the wrong type or shape, an input is not finite, a label is invalid, or all labels
            are unknown.
    """
    x, y = np.asarray(examples.x), np.asarray(examples.y)
    _check_shapes(network, x, y, name)
    x = _finite_inputs(x, network.flat.dtype, name)
    try:
        targets = loss.targets(y, network.flat.dtype)
    except InputError as error:
        raise InputError(f"{name} {error}", error.problem) from error
    if np.isnan(y).all():
        raise InputError(f"{name} labels: none is known", InputProblem.NO_KNOWN_LABEL)
    return x, targets


def _require_known(y: Floats, name: str) -> None:
    """Raise InputError if all labels of an output are unknown: nothing could be learned for it."""
    unknown = np.flatnonzero(np.isnan(y).all(axis=0))
    if len(unknown):
        raise InputError(f"{name} labels: output {unknown[0]} has no known label", InputProblem.NO_KNOWN_LABEL)


def _check_shapes(network: Network, x: Floats, y: Floats, name: str) -> None:
    if x.dtype.kind not in "biuf" or y.dtype.kind not in "biuf":
        raise InputError(
            f"{name} inputs of {x.dtype} and labels of {y.dtype} must be real numbers", InputProblem.SHAPE
        )
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not len(x):
        raise InputError(
            f"{name} inputs {x.shape} and labels {y.shape} must be two-dimensional with equal rows",
            InputProblem.SHAPE,
        )
    try:
        outputs = network.layer_widths(x.shape[1])[-1]
    except ValueError as error:
        raise InputError(f"{name} inputs {x.shape} do not fit the network: {error}", InputProblem.SHAPE) from error
    if outputs != y.shape[1]:
        raise InputError(f"{name} labels {y.shape} do not fit the network's {outputs} outputs", InputProblem.SHAPE)


def _finite_inputs(x: Floats, dtype: np.dtype[np.floating], name: str) -> Floats:
    with np.errstate(over="ignore"):
        x = x.astype(dtype, copy=False)
    # The check of minimum and maximum finds NaN and infinity without allocating a mask as large as the data.
    if not np.isfinite([x.min(), x.max()]).all():
        row, column = np.argwhere(~np.isfinite(x))[0]
        message = f"{name} input {x[row, column]} (row {row}, column {column}) is not finite in {dtype}"
        raise InputError(message, InputProblem.NOT_FINITE)
    return x
