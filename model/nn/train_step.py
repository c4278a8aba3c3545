"""One step's forward pass, loss and backward pass, again and again in the same memory."""

from __future__ import annotations

import numpy as np

from model.array_types import Floats
from model.nn.compiled_step import CompiledStep
from model.nn.losses import Loss, Targets
from model.nn.network import Network


class Batch:
    """Forward, loss and backward over batches of so many rows, in memory made once.

    Attributes:
        x: (rows, inputs), to be filled before each step.
    """

    def __init__(self, network: Network, loss: Loss, gradient: Floats, x: Floats, rng: np.random.Generator) -> None:
        self.x = x
        self._network, self._loss, self._rng = network, loss, rng
        self._into = network.views(gradient)
        self._tape: CompiledStep | None = None
        self._last: Targets | None = None

    def step(self, targets: Targets, here: slice) -> Floats:
        """Writes the gradient, and gives the logits (rows, outputs), which the next step overwrites.

        Args:
            targets: of more rows.
            here: which of them belong to those in `x`.
        """
        if self._tape is None:
            self._tape = tape = CompiledStep()
            y = targets.take(here)
            self._y = Targets(y.values.copy(), None if y.weight is None else y.weight.copy())
            self._scale: Floats = np.array(self._loss.scale(y), self.x.dtype)
            self._logits = self._forth_and_back(tape)
        else:
            if targets is not self._last:
                self._load(targets, here)
            self._tape.replay()
        # all rows in one batch are the same at each step
        self._last = targets if len(targets.values) == len(self.x) else None
        return self._logits

    def _forth_and_back(self, tape: CompiledStep) -> Floats:
        logits, caches = self._network.forward(self.x, self._rng, tape, overwrite=True)
        slope = self._loss.gradient(logits, self._y, tape, self._scale)
        self._network.backward(slope, caches, tape, self._into)
        return logits

    def _load(self, targets: Targets, here: slice) -> None:
        np.copyto(self._y.values, targets.values[here])
        if targets.weight is not None and self._y.weight is not None:
            np.copyto(self._y.weight, targets.weight[here])
            self._scale[...] = self._loss.scale(self._y)
