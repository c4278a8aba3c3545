"""The activations: elementwise layers that bend.

Each derivative is written in terms of the output, so that in training an activation may overwrite its input and
nothing else need be kept.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from model.array_types import ZERO, Bools, Floats, constant
from model.nn.compiled_step import Run, call, maximum, minimum
from model.nn.layers import Gradients, Parameterless
from model.nn.numerics import sigmoid


class Activation(Parameterless, ABC):
    """What the activations share."""

    caches_output = True

    @abstractmethod
    def bend(self, x: Floats, run: Run, out: list[Floats]) -> Floats:
        """f(x), elementwise, into the array in `out` if there is one."""

    @abstractmethod
    def slope(self, y: Floats, run: Run) -> Floats:
        """f'(x), where y = f(x)."""

    def saturated(self, y: Floats) -> Bools | None:  # noqa: ARG002
        """Where the slope is next to nothing on either side; None for an activation that has no such ends."""
        return None

    def apply(self, x: Floats) -> Floats:
        return self.bend(x, call, [])

    def forward(
        self,
        x: Floats,
        rng: np.random.Generator | None = None,  # noqa: ARG002
        run: Run = call,
        *,
        overwrite: bool = False,
    ) -> tuple[Floats, Floats]:
        y = self.bend(x, run, [x] if overwrite else [])
        return y, y

    def backward(
        self,
        grad: Floats,
        cache: Floats,
        run: Run = call,
        into: Gradients | None = None,
        *,
        wanted: bool = True,  # noqa: ARG002
    ) -> tuple[Floats, Gradients]:
        return self.chain(grad, cache, run, [] if into is None else [grad]), {}

    def chain(self, grad: Floats, y: Floats, run: Run, out: list[Floats]) -> Floats:
        """The gradient times f'(x), where y = f(x), into the array in `out` if there is one."""
        return run(np.multiply, grad, self.slope(y, run), *out)

    def multiplier(self, grad: Floats, x: Floats, reference: Floats) -> Floats:
        """The slope of the chord from the reference to x ("rescale" rule, Shrikumar et al. 2017)."""
        y = self.apply(x)
        rise, run = y - self.apply(reference), x - reference
        tangent = np.array(self.slope(y, call), dtype=y.dtype)
        return np.asarray(grad * np.divide(rise, run, out=tangent, where=np.abs(run) > 1e-12))


@dataclass(frozen=True)
class ReLU(Activation):
    """y = max(x, 0); the gradient passes where y > 0."""

    def apply(self, x: Floats) -> Floats:
        y: Floats = np.maximum(x, ZERO)
        return y

    def bend(self, x: Floats, run: Run, out: list[Floats]) -> Floats:
        # a whole array of zeros is four times as fast as the number
        zeros = constant(0.0, x.shape, x.dtype)
        return run(maximum, x, zeros, *out)

    def slope(self, y: Floats, run: Run) -> Floats:
        return run(np.greater, y, constant(0.0, (), y.dtype))

    def chain(self, grad: Floats, y: Floats, run: Run, out: list[Floats]) -> Floats:
        # In the bits of y >= 0 only zero is zero; a number's bits times 1 are the number, times 0 they are zero.
        # Integers of one size need no conversion, which for a mask of booleans takes most of the time.
        bits = np.dtype(f"u{y.itemsize}")
        passes = run(minimum, y.view(bits), constant(1, y.shape, bits))
        return run(np.multiply, grad.view(bits), passes, *(array.view(bits) for array in out)).view(y.dtype)


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """y = x where x > 0, else leak x: a unit that is off still learns (Maas et al. 2013). The leak is in (0, 1)."""

    leak: float = 0.01

    def __post_init__(self) -> None:
        if not 0 < self.leak < 1:
            raise ValueError(f"a leak is between 0 and 1, not {self.leak}")

    def bend(self, x: Floats, run: Run, out: list[Floats]) -> Floats:
        low = run(np.multiply, x, constant(self.leak, (), x.dtype))
        return run(maximum, x, low, *out)

    def slope(self, y: Floats, run: Run) -> Floats:
        passes = run(np.greater, y, constant(0.0, (), y.dtype))
        slope = run(np.multiply, passes, constant(1 - self.leak, (), y.dtype))
        return run(np.add, slope, constant(self.leak, (), y.dtype), slope)


@dataclass(frozen=True)
class Tanh(Activation):
    """y = tanh(x); dy/dx = 1 - y^2."""

    def bend(self, x: Floats, run: Run, out: list[Floats]) -> Floats:
        return run(np.tanh, x, *out)

    def slope(self, y: Floats, run: Run) -> Floats:
        square = run(np.square, y)
        return run(np.subtract, constant(1.0, (), y.dtype), square, square)

    def saturated(self, y: Floats) -> Bools:
        return np.asarray(np.abs(y) > 0.99)


@dataclass(frozen=True)
class Sigmoid(Activation):
    """y = 1 / (1 + exp(-x)); dy/dx = y (1 - y)."""

    def bend(self, x: Floats, run: Run, out: list[Floats]) -> Floats:
        return run(sigmoid, x, *out)

    def slope(self, y: Floats, run: Run) -> Floats:
        rest = run(np.subtract, constant(1.0, (), y.dtype), y)
        return run(np.multiply, rest, y, rest)

    def saturated(self, y: Floats) -> Bools:
        return np.asarray(np.abs(y - 0.5) > 0.495)


ACTIVATIONS: dict[str, type[Activation]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
}
