"""What a training leaves of its gradients while it runs: sums that cost little and tell its health in the end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from model.array_types import Floats
from model.nn.diagnostics.gradient_health import GradientHealth, ParameterHealth, activation_health, assess_gradients
from model.nn.network import Network

UPDATE_EVERY = 64
"""Steps between two looks at the size of the update: it moves slowly, and each look reads all weights."""

TOGETHER = 256
"""Steps that are summed up at once."""

SMALL = 2048
"""Parameters up to which a step's gradient is only kept and looked at later, with others: on so few numbers the call
costs more than what it does."""


class GradientStatistics:
    """Watches each step of a training, by views into the vectors that the training writes anyway.

    Args:
        network: whose parameters are watched.
        gradient: the vector that every backward pass writes to.
    """

    def __init__(self, network: Network, gradient: Floats) -> None:
        self._network, self._gradient = network, gradient
        self._weights = [view.reshape(-1) for view in network.parameters().values()]
        # what comes from here on in the vector is only kept at each step: all of a small network, else the biases
        start = next(at for at in (0, network.weight_count, gradient.size) if gradient.size - at <= SMALL)
        self._places = [network.place(name) for name in network.names]
        self._parts = [gradient[place] for place in self._places if place.start < start]
        self._rest, self._start = gradient[start:], start
        self._squares: list[list[float]] = []
        self._kept: Floats = np.empty((TOGETHER, gradient.size - start), gradient.dtype)
        self._filled = self._first = 0
        self._steps = self._clipped = self._nonfinite = self._count = self._looks = 0
        shape = len(network.names)
        self._sum, self._last, self._max = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self._ratio_sum = np.zeros(shape)
        self._fresh = False

    def begin_epoch(self) -> None:
        """Means are of the last epoch: earlier ones are forgotten."""
        self._first = self._filled
        if self._count:
            self._sum[:], self._count = 0, 0
        if self._looks > 1:
            # an epoch may be shorter than the distance of two looks: the last one stays until there is another
            self._ratio_sum /= self._looks
            self._looks = 1
        self._fresh = False

    def norm(self) -> float:
        """The L2 norm of the gradient as it stands, which is remembered by parameter."""
        if self._filled == TOGETHER:
            self._fold()
        rest = self._rest
        self._kept[self._filled] = rest
        self._filled += 1
        self._steps += 1
        squares = [float(part.dot(part)) for part in self._parts]
        self._squares.append(squares)
        return math.sqrt(rest.dot(rest) + sum(squares))

    def _fold(self) -> None:
        """Sums up the steps since the last time."""
        if self._filled:
            norms = np.sqrt(self._taken())
            np.maximum(self._max, norms.max(axis=0), out=self._max)
            own = norms[self._first :]
            self._sum += own.sum(axis=0)
            self._count += len(own)
            self._last = norms[-1]
        self._filled = self._first = 0
        self._squares.clear()

    def _taken(self) -> Floats:
        """(steps, parameters) squared norms of the steps since the last time."""
        measured, kept = iter(np.array(self._squares).T), self._kept[: self._filled]
        columns = []
        for place in self._places:
            if place.start < self._start:
                columns.append(next(measured))
            else:
                part = kept[:, place.start - self._start : place.stop - self._start]
                columns.append(np.einsum("ij,ij->i", part, part))
        return np.stack(columns, axis=1, dtype=np.float64)

    def nonfinite(self) -> None:
        """The last step's gradient was not finite, and was left out."""
        self._nonfinite += 1
        self._filled -= 1
        del self._squares[self._filled :]

    @property
    def nonfinite_steps(self) -> int:
        """How many steps were left out."""
        return self._nonfinite

    def clipped(self) -> None:
        """The last step's gradient was cut."""
        self._clipped += 1

    @property
    def wants_update(self) -> bool:
        """Whether the size of this step's update is looked at."""
        return self._steps % UPDATE_EVERY == 1

    def update(self, step: Floats) -> None:
        """What is about to be added to the network's vector."""
        if not self._fresh:
            self._ratio_sum[:], self._looks, self._fresh = 0, 0, True
        own = [view.reshape(-1) for view in self._network.views(step).values()]
        # Biases start at zero: without the floor their first ratios would be infinite.
        self._ratio_sum += [
            math.sqrt(float(part.dot(part)) / max(float(weight.dot(weight)), 1e-6))
            for part, weight in zip(own, self._weights, strict=True)
        ]
        self._looks += 1

    def state(self) -> dict[str, Any]:
        """What a resumed training needs; to be taken between epochs."""
        self._fold()
        return {
            "sums": [values.tolist() for values in (self._sum, self._last, self._max, self._ratio_sum)],
            "counts": [self._count, self._looks, self._steps, self._clipped, self._nonfinite],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on where `state` was taken."""
        self._sum, self._last, self._max, self._ratio_sum = (np.array(values) for values in state["sums"])
        self._count, self._looks, self._steps, self._clipped, self._nonfinite = state["counts"]

    def result(self, x: Floats, vanishing: float, exploding: float) -> GradientHealth:
        """The verdict on the network as it was kept.

        Args:
            x: (rows, inputs) that it was not fitted on, to see what its units do.
            vanishing: a mean gradient norm of any weight matrix below this is vanishing.
            exploding: a gradient norm above this at any step is exploding.
        """
        self._fold()
        means = self._sum / max(1, self._count), self._ratio_sum / max(1, self._looks)
        columns = (means[0], self._last, self._max, means[1])
        parameters = tuple(
            ParameterHealth(name, *(float(v) for v in values))
            for name, *values in zip(self._network.names, *columns, strict=True)
        )
        counts = self._steps, self._clipped, self._nonfinite
        return assess_gradients(parameters, activation_health(self._network, x), counts, vanishing, exploding)
