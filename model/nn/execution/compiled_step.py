"""Compiled training step: array calls recorded at the first step and then replayed.

All steps of a training run make the same array calls on arrays of the same shapes. In small networks, the Python code
around the calls and the allocation of results take longer than the calls. A replay avoids both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import numpy as np

from model.array_types import Floats, Integers
from model.nn.execution.array_ops import ArrayOps
from model.nn.layers import Gradients
from model.nn.losses import Loss, Targets
from model.nn.network import Network

T = TypeVar("T")


class CallRecorder(ArrayOps):
    """Executor that calls array functions immediately and records each call with its result array."""

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
    """Function without arguments that runs once; later calls replay its array calls into the same arrays.

    Args:
        function: function that takes an executor and makes all its array calls through it.
    """

    def __init__(self, function: Callable[[ArrayOps], T]) -> None:
        self._function = function
        self._recorder: CallRecorder | None = None
        self._result: T | None = None

    def __call__(self) -> T:
        """Return the result for the current content of the arrays that the function reads."""
        if self._recorder is None:
            self._recorder = CallRecorder()
            self._result = self._function(self._recorder)
        else:
            self._recorder.replay()
        return cast(T, self._result)


class CompiledStep:
    """Forward pass, loss gradient and backward pass for batches of one size, in memory allocated once.

    An elementwise layer overwrites its input with its output, unless the backward pass reads the input. In the
    backward pass, the layer overwrites dL/d(output) with dL/d(input).

    Args:
        network: network in training; each step reads its current parameters.
        loss: loss function.
        gradient: (parameters,) array for dL/d(parameters), with the layout of `network.flat`.
        inputs: (rows, inputs) array for the inputs of a batch.
        targets: arrays for the labels of a batch.
        rng: random generator for layers such as dropout.

    Attributes:
        forward: computes the logits (rows, outputs).
        loss_gradient: computes dL/d(logits) (rows, outputs); called after `forward`.
        backward: computes dL/d(parameters) in `gradient`; called after `loss_gradient`.
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
        self._logit_gradient: Floats
        self.forward = CompiledFunction(self._forward)
        self.loss_gradient = CompiledFunction(self._loss_gradient)
        self.backward = CompiledFunction(self._backward)

    def load(self, inputs: Floats, targets: Targets, order: Integers | None, rows: slice) -> None:
        """Copy a batch into the arrays of this step.

        Args:
            inputs: (n, inputs) inputs of all examples, in their original order.
            targets: labels of all examples, already in the order of the epoch.
            order: (n,) row numbers in the order of the epoch; None if the step reads all examples in place, so that
                nothing is copied.
            rows: positions of the batch in `order` and `targets`.
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
            # The next layer may overwrite its input `y`, unless the backward pass reads that array: the inputs of the
            # batch and cached outputs. A layer that returns its input (dropout of rate 0) does not change that.
            if layer.caches_output:
                disposable = None
            elif y is not x:
                disposable = y
            x = y
        self._logits = x
        return x

    def _loss_gradient(self, ops: ArrayOps) -> Floats:
        self._logit_gradient = self._loss.compute_gradient(self._logits, self._targets, self._scale, ops)
        return self._logit_gradient

    def _backward(self, ops: ArrayOps) -> None:
        output_gradient = self._logit_gradient
        first = next(i for i, gradients in enumerate(self._gradients) if gradients)
        for i in reversed(range(first, len(self._layers))):
            layer, cache = self._layers[i], self._caches[i]
            layer.compute_parameter_gradients(output_gradient, cache, self._gradients[i], ops)
            if i > first:
                output_gradient = layer.compute_input_gradient(output_gradient, cache, ops, output_gradient)


def plan_epoch(
    network: Network,
    loss: Loss,
    inputs: Floats,
    targets: Targets,
    batch_size: int,
    gradient: Floats,
    rng: np.random.Generator,
) -> list[tuple[slice, CompiledStep]]:
    """Return the batches of an epoch in order: for each, the slice of row positions and the compiled step.

    Batches of equal size share a step. The step of a single batch of all rows reads `inputs` and `targets` in place.

    Args:
        network: network in training.
        loss: loss function.
        inputs: (rows, inputs) inputs of all examples.
        targets: labels of all examples.
        batch_size: rows per batch; the last batch may be smaller.
        gradient: (parameters,) array for dL/d(parameters).
        rng: random generator for layers such as dropout.
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
    """Group arrays named "<layer>.<name>" by layer; return a dict by "<name>" for each layer."""
    return [
        {name.partition(".")[2]: view for name, view in views.items() if name.partition(".")[0] == str(i)}
        for i in range(layers)
    ]
