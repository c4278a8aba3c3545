"""Compiled training step: array calls recorded once, then repeated on the same memory.

Every training step makes the same array calls on arrays of the same shapes. For small networks, selecting the
calls and allocating the results takes longer than the calls themselves. The first step records them with their result
arrays, later steps replay them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import numpy as np

from model.array_types import Floats, Integers
from model.nn.layers import Gradients
from model.nn.losses import Loss, Targets
from model.nn.network import Network
from model.nn.numerics import ArrayOps

T = TypeVar("T")


class CallRecorder(ArrayOps):
    """Executor of array functions that records each call with its result array."""

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., Floats], tuple[Any, ...]]] = []

    def __call__(self, function: Callable[..., Floats], *args: object, out: Floats | None = None) -> Floats:
        result = function(*args, out)
        self._calls.append((function, (*args, result)))
        return result

    def replay(self) -> None:
        """Repeat all recorded calls; each overwrites its result array."""
        for function, args in self._calls:
            function(*args)


class CompiledFunction(Generic[T]):
    """Function without arguments that runs normally once; later calls repeat its array calls into the same arrays.

    Args:
        function: makes all its array calls through the `ArrayOps` that it is given.
    """

    def __init__(self, function: Callable[[ArrayOps], T]) -> None:
        self._function = function
        self._recorder: CallRecorder | None = None
        self._result: T | None = None

    def __call__(self) -> T:
        """Return the result of the function for the current content of its arrays."""
        if self._recorder is None:
            self._recorder = CallRecorder()
            self._result = self._function(self._recorder)
        else:
            self._recorder.replay()
        return cast(T, self._result)


class CompiledStep:
    """Forward pass, loss gradient and backward pass over batches of one size, in memory allocated once.

    An activation overwrites its input with its output, and the gradient of its output with that of its input.

    Args:
        network: its parameters are read at each step.
        loss: loss function.
        gradient: (parameters,) vector that receives the gradient, in the layout of `network.flat`.
        inputs: (rows, inputs) array that holds the batch.
        targets: labels of the batch, in the arrays that hold them.
        rng: randomness of layers such as dropout.

    Attributes:
        forward: computes the logits (rows, outputs).
        loss_gradient: computes dL/d(logits) (rows, outputs) from the logits; called after `forward`.
        backward: writes the gradient of the parameters to `gradient`; called after `loss_gradient`.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        gradient: Floats,
        inputs: Floats,
        targets: Targets,
        rng: np.random.Generator,
    ) -> None:
        self._layers = network.layers
        self._loss = loss
        self._gradients = _by_layer(network.views(gradient), len(network.layers))
        self._inputs = inputs
        self._targets = targets
        self._scale: Floats = np.array(loss.gradient_scale(targets), inputs.dtype)
        self._rng = rng
        self._caches: list[Any] = []
        self._logits: Floats
        self._slope: Floats
        self.forward = CompiledFunction(self._forward)
        self.loss_gradient = CompiledFunction(self._loss_gradient)
        self.backward = CompiledFunction(self._backward)

    def load(self, inputs: Floats, targets: Targets, order: Integers | None, rows: slice) -> None:
        """Copy the next batch into the arrays of this step.

        Args:
            inputs: (n, inputs) of all rows.
            targets: labels of all rows in the order of this epoch.
            order: (n,) row numbers in the order of this epoch; None for a single batch, which needs no copy.
            rows: positions of the batch in `order`.
        """
        if order is None:
            return
        inputs.take(order[rows], 0, self._inputs, "clip")
        np.copyto(self._targets.values, targets.values[rows])
        if targets.weight is not None and self._targets.weight is not None:
            np.copyto(self._targets.weight, targets.weight[rows])
            self._scale[...] = self._loss.gradient_scale(self._targets)

    def _forward(self, ops: ArrayOps) -> Floats:
        x = self._inputs
        disposable: Floats | None = None
        for layer in self._layers:
            y, cache = layer.compute_output(x, self._rng, ops, disposable)
            self._caches.append(cache)
            # The inputs of the batch and the outputs that a layer caches are read again; a layer that returns its
            # input unchanged does not alter that.
            if layer.caches_output:
                disposable = None
            elif y is not x:
                disposable = y
            x = y
        self._logits = x
        return x

    def _loss_gradient(self, ops: ArrayOps) -> Floats:
        self._slope = self._loss.compute_gradient(self._logits, self._targets, self._scale, ops)
        return self._slope

    def _backward(self, ops: ArrayOps) -> None:
        grad = self._slope
        first = next(i for i, gradients in enumerate(self._gradients) if gradients)
        for i in reversed(range(first, len(self._layers))):
            layer, cache = self._layers[i], self._caches[i]
            layer.compute_parameter_gradients(grad, cache, self._gradients[i], ops)
            if i > first:
                grad = layer.compute_input_gradient(grad, cache, ops, grad)


def plan_epoch(
    network: Network,
    loss: Loss,
    inputs: Floats,
    targets: Targets,
    batch_size: int,
    gradient: Floats,
    rng: np.random.Generator,
) -> list[tuple[slice, CompiledStep]]:
    """Return the batches of an epoch in order: positions of the rows, and the step for batches of that size.

    A single batch of all rows reads the given arrays themselves.

    Args:
        network: trained network.
        loss: loss function.
        inputs: (rows, inputs) of all rows.
        targets: labels of all rows.
        batch_size: largest number of rows per batch.
        gradient: (parameters,) vector that receives the gradient of each step.
        rng: randomness of layers such as dropout.
    """
    steps: dict[int, CompiledStep] = {}
    plan = []
    for start in range(0, len(inputs), batch_size):
        rows = slice(start, min(start + batch_size, len(inputs)))
        size = rows.stop - rows.start
        if size not in steps:
            batch = (inputs, targets) if size == len(inputs) else _batch_memory(inputs, targets, rows)
            steps[size] = CompiledStep(network, loss, gradient, *batch, rng)
        plan.append((rows, steps[size]))
    return plan


def _batch_memory(inputs: Floats, targets: Targets, rows: slice) -> tuple[Floats, Targets]:
    numbers = np.arange(rows.start, rows.stop)
    return np.empty((len(numbers), inputs.shape[1]), inputs.dtype), targets.take(numbers)


def _by_layer(views: dict[str, Floats], layers: int) -> list[Gradients]:
    """Group arrays named "<layer>.<name>" by layer, under their names within it."""
    return [
        {name.partition(".")[2]: view for name, view in views.items() if name.partition(".")[0] == str(i)}
        for i in range(layers)
    ]
