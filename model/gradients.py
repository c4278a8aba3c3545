"""The health of a training, seen through its gradients.

A network that cannot learn shows it here first: gradients that fade or burst, units that never fire. The
numerical check keeps the algebra of every layer honest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from model.arrays import Floats
from model.layers import ReLU
from model.network import Network

State = Literal["healthy", "vanishing", "exploding"]


@dataclass(frozen=True)
class ParameterHealth:
    """Gradient of one parameter: L2 norms (mean of the last epoch, last step, largest), and update over weight."""

    name: str
    norm: float
    norm_last: float
    norm_max: float
    update_ratio: float


@dataclass(frozen=True)
class LayerHealth:
    """One activation layer: the share of its units that no row of the validation data woke."""

    name: str
    dead_ratio: float


@dataclass(frozen=True)
class GradientHealth:
    """What a training showed of itself. `clipped_steps` and `nonfinite_steps` are out of `steps`."""

    state: State
    parameters: tuple[ParameterHealth, ...]
    layers: tuple[LayerHealth, ...]
    steps: int
    clipped_steps: int
    nonfinite_steps: int
    advice: str


class HealthRecorder:
    """Records each step of a training; a few vector operations on the flat parameter vector."""

    def __init__(self, network: Network) -> None:
        self._names = network.names
        self._starts = network.offsets[:-1]
        self._steps_in_epoch = self._steps = self._clipped = self._nonfinite = 0
        shape = len(self._names)
        self._norm_sum, self._ratio_sum = np.zeros(shape), np.zeros(shape)
        self._last: Floats = np.zeros(shape)
        self._max = np.zeros(shape)

    def begin_epoch(self) -> None:
        """Means are of the last epoch: earlier ones are forgotten."""
        self._steps_in_epoch = 0
        self._norm_sum[:], self._ratio_sum[:] = 0, 0

    def nonfinite(self) -> None:
        """A step whose gradient was not finite, and was left out."""
        self._steps += 1
        self._nonfinite += 1

    def observe(self, grad: Floats, update: Floats, weights: Floats, *, clipped: bool) -> None:
        """One step: the gradient before clipping, the update made of it, and the weights it is added to."""
        norms = self._norms(grad)
        self._steps += 1
        self._steps_in_epoch += 1
        self._clipped += clipped
        self._norm_sum += norms
        # Biases start at zero: without the floor their first ratios would be infinite.
        self._ratio_sum += self._norms(update) / np.maximum(self._norms(weights), 1e-3)
        self._last = norms
        np.maximum(self._max, norms, out=self._max)

    def _norms(self, flat: Floats) -> Floats:
        return np.sqrt(np.add.reduceat(np.square(flat, dtype=np.float64), self._starts))

    def result(self, network: Network, x: Floats, vanishing: float, exploding: float) -> GradientHealth:
        """The verdict; `x` (rows, inputs) shows which units are dead.

        Args:
            network: as it was kept.
            x: rows that it was not fitted on.
            vanishing: a mean norm of any weight matrix below this is vanishing.
            exploding: a norm above this at any step is exploding.
        """
        steps = max(1, self._steps_in_epoch)
        parameters = tuple(
            ParameterHealth(name, *(float(v) for v in values))
            for name, *values in zip(
                self._names,
                self._norm_sum / steps,
                self._last,
                self._max,
                self._ratio_sum / steps,
                strict=True,
            )
        )
        state, advice = self._verdict(parameters, vanishing, exploding)
        return GradientHealth(
            state, parameters, dead_units(network, x), self._steps, self._clipped, self._nonfinite, advice
        )

    def _verdict(
        self, parameters: tuple[ParameterHealth, ...], vanishing: float, exploding: float
    ) -> tuple[State, str]:
        largest = max(parameters, key=lambda p: p.norm_max)
        smallest = min((p for p in parameters if p.name.endswith("weight")), key=lambda p: p.norm)
        if self._nonfinite or largest.norm_max > exploding:
            what = f"{self._nonfinite} steps were not finite" if self._nonfinite else f"up to {largest.norm_max:.3g}"
            return (
                "exploding",
                f"gradient of {largest.name}: {what}: lower the learning rate or gradient_clip",
            )
        if smallest.norm < vanishing:
            return "vanishing", f"gradient of {smallest.name}: {smallest.norm:.1e}: use fewer layers"
        return "healthy", ""


def dead_units(network: Network, x: Floats) -> tuple[LayerHealth, ...]:
    """The share of each ReLU layer's units that are zero on every row of `x` (rows, inputs)."""
    found = []
    for i, layer in enumerate(network.layers):
        x, _ = layer.forward(x)
        if isinstance(layer, ReLU):
            found.append(LayerHealth(str(i), float(np.mean(~np.any(x > 0, axis=0)))))
    return tuple(found)


def numerical_gradient(f: Callable[[], float], parameter: Floats, step: float = 1e-6) -> Floats:
    """Central differences (f(p + h) - f(p - h)) / 2h for each element of `parameter`, which is restored.

    Args:
        f: the scalar function; it reads `parameter` in place.
        parameter: float64, any shape.
        step: h.
    """
    gradient = np.zeros_like(parameter)
    for index in np.ndindex(parameter.shape):
        kept = parameter[index]
        parameter[index] = kept + step
        above = f()
        parameter[index] = kept - step
        below = f()
        parameter[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient
