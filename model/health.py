"""The health of a training, seen through its gradients and activations.

A network that cannot learn shows it here first: gradients that fade or burst, units that never fire or never leave
their ends. What is found is said in words, with what to do about it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

import numpy as np

from model.activations import Activation, ReLU
from model.arrays import Floats
from model.network import Network

State = Literal["healthy", "vanishing", "exploding"]

UPDATE_EVERY = 64
"""Steps between two looks at the size of the update: it moves slowly, and each look reads all weights."""

TOGETHER = 256
"""Steps that are summed up at once."""

SMALL = 2048
"""Parameters up to which a step's gradient is only kept and looked at later, with others: on so few numbers the call
costs more than what it does."""

SAMPLE_ROWS = 4096
"""Rows at most that show what the units do."""

MANY_DEAD, MANY_SATURATED, MANY_CLIPPED = 0.4, 0.5, 0.5
"""Shares from which something is said."""


@dataclass(frozen=True)
class ParameterHealth:
    """Gradient of one parameter before clipping: L2 norms (mean of the last epoch, last step, largest).

    `update_ratio` is the L2 norm of the update over that of the parameter, mean over the last epoch's steps that were
    looked at.
    """

    name: str
    norm: float
    norm_last: float
    norm_max: float
    update_ratio: float


@dataclass(frozen=True)
class LayerHealth:
    """One activation layer on rows that were not fitted on.

    `dead_ratio` is the share of units that no row moves from where their slope is nothing, `saturation_ratio` the
    share of all outputs that lie there (None for an activation without such ends); mean and deviation are over all
    outputs.
    """

    name: str
    dead_ratio: float
    saturation_ratio: float | None
    mean: float
    deviation: float


@dataclass(frozen=True)
class GradientHealth:
    """What a training showed of itself. `clipped_steps` and `nonfinite_steps` are out of `steps`."""

    state: State
    parameters: tuple[ParameterHealth, ...]
    layers: tuple[LayerHealth, ...]
    steps: int
    clipped_steps: int
    nonfinite_steps: int
    advice: tuple[str, ...]


class HealthRecorder:
    """Watches each step of a training, by views into the vectors that the training writes anyway.

    Args:
        network: whose parameters are watched.
        gradient: the vector that every backward pass writes to.
    """

    def __init__(self, network: Network, gradient: Floats) -> None:
        self._network, self._gradient = network, gradient
        self._weights = [view.reshape(-1) for view in network.parameters().values()]
        # what comes from here on in the vector is only kept at each step: all of a small network, else the biases
        start = next(at for at in (0, network.penalised, gradient.size) if gradient.size - at <= SMALL)
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
        layers = activation_health(self._network, x)
        state, reason = self._verdict(parameters, vanishing, exploding)
        advice = (*((reason,) if reason else ()), *self._advice(layers))
        return GradientHealth(state, parameters, layers, self._steps, self._clipped, self._nonfinite, advice)

    def _verdict(
        self, parameters: tuple[ParameterHealth, ...], vanishing: float, exploding: float
    ) -> tuple[State, str]:
        largest = max(parameters, key=lambda p: p.norm_max)
        smallest = min((p for p in parameters if p.name.endswith("weight")), key=lambda p: p.norm)
        if self._nonfinite:
            return "exploding", f"gradient not finite in {self._nonfinite} steps: lower the learning rate"
        if largest.norm_max > exploding:
            return "exploding", (
                f"gradient of {largest.name} up to {largest.norm_max:.3g}: "
                "lower the learning rate or the gradient clip"
            )
        if smallest.norm < vanishing:
            return "vanishing", f"gradient of {smallest.name} only {smallest.norm:.1e}: use fewer layers, or ReLU"
        return "healthy", ""

    def _advice(self, layers: tuple[LayerHealth, ...]) -> list[str]:
        advice = []
        for layer in layers:
            if layer.dead_ratio >= MANY_DEAD:
                advice.append(
                    f"layer {layer.name}: {layer.dead_ratio:.0%} of units dead: "
                    "lower the learning rate or use LeakyReLU"
                )
            if layer.saturation_ratio is not None and layer.saturation_ratio >= MANY_SATURATED:
                advice.append(
                    f"layer {layer.name}: {layer.saturation_ratio:.0%} of outputs saturated: "
                    "scale the inputs, start with smaller weights or lower the learning rate"
                )
        if self._steps and self._clipped / self._steps >= MANY_CLIPPED:
            advice.append(
                f"{self._clipped / self._steps:.0%} of steps clipped: "
                "raise the gradient clip or lower the learning rate"
            )
        return advice


def activation_health(network: Network, x: Floats) -> tuple[LayerHealth, ...]:
    """What each activation layer does on evenly spread rows of `x` (rows, inputs)."""
    x = x[:: max(1, -(-len(x) // SAMPLE_ROWS))]
    found = []
    for i, layer in enumerate(network.layers):
        x = layer.apply(x)
        if isinstance(layer, Activation):
            ends = layer.saturated(x)
            stuck = x == 0 if isinstance(layer, ReLU) else ends
            dead = 0.0 if stuck is None else float(stuck.all(axis=0).mean())
            saturation = None if ends is None else float(ends.mean())
            mean, deviation = float(x.mean(dtype=np.float64)), float(x.std(dtype=np.float64))
            found.append(LayerHealth(str(i), dead, saturation, mean, deviation))
    return tuple(found)


def not_learning(losses: list[float], start: float, epochs: int) -> str:
    """A sentence if the training loss was not once below its start in the first tenth of the epochs, else ""."""
    # the loss of an epoch is of its steps before their updates: the first one need not be lower
    tenth = max(2, epochs // 10)
    if len(losses) < tenth or min(losses[:tenth]) < start:
        return ""
    return (
        f"the loss had not fallen after {tenth} of {epochs} epochs "
        f"({start:.3g} before, {min(losses[:tenth]):.3g} then): "
        "check the labels, change the learning rate or the starting weights"
    )


def health_of_all(found: Sequence[GradientHealth]) -> GradientHealth:
    """Trainings of networks of as many layers as one: figures on average, extremes and verdict at their worst."""
    worst: tuple[State, ...] = ("exploding", "vanishing", "healthy")
    parameters = tuple(
        ParameterHealth(
            same[0].name,
            fmean(one.norm for one in same),
            fmean(one.norm_last for one in same),
            max(one.norm_max for one in same),
            fmean(one.update_ratio for one in same),
        )
        for same in zip(*(one.parameters for one in found), strict=True)
    )
    layers = tuple(
        LayerHealth(
            same[0].name,
            fmean(one.dead_ratio for one in same),
            fmean(ratios) if (ratios := [r for one in same if (r := one.saturation_ratio) is not None]) else None,
            fmean(one.mean for one in same),
            fmean(one.deviation for one in same),
        )
        for same in zip(*(one.layers for one in found), strict=True)
    )
    return GradientHealth(
        min((one.state for one in found), key=worst.index),
        parameters,
        layers,
        sum(one.steps for one in found),
        sum(one.clipped_steps for one in found),
        sum(one.nonfinite_steps for one in found),
        tuple(dict.fromkeys(text for one in found for text in one.advice)),
    )
