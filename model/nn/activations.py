"""Activations: elementwise non-linear layers.

Each derivative is a function of the output. The output is therefore the only cached array. A compiled training step
overwrites the input with the output, unless the backward pass reads the input.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats, constant
from model.nn.checks import require_setting
from model.nn.execution.array_ops import EAGER, ArrayOps, maximum, minimum
from model.nn.layers import Layer
from model.nn.numerics import ZERO, sigmoid


class Activation(Layer):
    """Elementwise layer y = f(x); a subclass implements `activate` and `derivative`."""

    caches_output = True

    @abstractmethod
    def activate(self, x: Floats, ops: ArrayOps, out: Floats | None) -> Floats:
        """Compute f(x) and write it to `out`; None allocates an array."""

    @abstractmethod
    def derivative(self, y: Floats, ops: ArrayOps) -> Floats:
        """Compute f'(x) from the output y = f(x)."""

    def saturated(self, y: Floats) -> Bools | None:  # noqa: ARG002
        """Return the mask of outputs close to a limit, where f'(x) is near 0; None for an unbounded activation."""
        return None

    def apply(self, x: Floats) -> Floats:
        return self.activate(x, EAGER, None)

    def compute_output(
        self,
        x: Floats,
        rng: np.random.Generator | None,  # noqa: ARG002
        ops: ArrayOps,
        out: Floats | None,
    ) -> tuple[Floats, Floats]:
        y = self.activate(x, ops, out)
        return y, y

    def compute_input_gradient(
        self, output_gradient: Floats, cache: Floats, ops: ArrayOps, out: Floats | None
    ) -> Floats:
        return ops(np.multiply, output_gradient, self.derivative(cache, ops), out=out)

    def rescale_multipliers(self, multipliers: Floats, x: Floats, reference: Floats) -> Floats:
        """Multiply by the secant slope (f(x) - f(reference)) / (x - reference), or by f'(x) where x = reference."""
        y = self.apply(x)
        rise = y - self.apply(reference)
        run = x - reference
        tangent = np.array(self.derivative(y, EAGER), dtype=y.dtype)
        return np.asarray(multipliers * np.divide(rise, run, out=tangent, where=np.abs(run) > 1e-12))


@dataclass(frozen=True)
class ReLU(Activation):
    """Rectified linear unit y = max(x, 0); dy/dx = 1 where y > 0, else 0."""

    def apply(self, x: Floats) -> Floats:
        y: Floats = np.maximum(x, ZERO)
        return y

    def activate(self, x: Floats, ops: ArrayOps, out: Floats | None) -> Floats:
        # NumPy's maximum with an array of zeros is four times as fast as with a scalar.
        zeros = constant(0.0, x.shape, x.dtype)
        return ops(maximum, x, zeros, out=out)

    def derivative(self, y: Floats, ops: ArrayOps) -> Floats:
        return ops(np.greater, y, constant(0.0, (), y.dtype))

    def compute_input_gradient(
        self, output_gradient: Floats, cache: Floats, ops: ArrayOps, out: Floats | None
    ) -> Floats:
        # The bits of an output y >= 0, read as an unsigned integer, are 0 only where y is 0. So min(bits of y, 1) is
        # the derivative as integer 0 or 1. The bits of the gradient times 1 are the gradient, times 0 they are 0.0.
        # Multiplying integers of equal size avoids converting a boolean mask, which would take most of the time.
        bits = np.dtype(f"u{cache.itemsize}")
        passes = ops(minimum, cache.view(bits), constant(1, cache.shape, bits))
        product = ops(np.multiply, output_gradient.view(bits), passes, out=None if out is None else out.view(bits))
        return product.view(cache.dtype)


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """Leaky ReLU (Maas et al. 2013): y = x where x > 0, else leak * x; the derivative is never zero.

    Attributes:
        leak: slope for negative x, in (0, 1).
    """

    leak: float = 0.01

    def __post_init__(self) -> None:
        require_setting(0 < self.leak < 1, "leak", self.leak, "above 0 and below 1")

    def activate(self, x: Floats, ops: ArrayOps, out: Floats | None) -> Floats:
        scaled = ops(np.multiply, x, constant(self.leak, (), x.dtype))
        return ops(maximum, x, scaled, out=out)

    def derivative(self, y: Floats, ops: ArrayOps) -> Floats:
        passes = ops(np.greater, y, constant(0.0, (), y.dtype))
        derivative = ops(np.multiply, passes, constant(1 - self.leak, (), y.dtype))
        return ops(np.add, derivative, constant(self.leak, (), y.dtype), out=derivative)


@dataclass(frozen=True)
class Tanh(Activation):
    """Hyperbolic tangent y = tanh(x); dy/dx = 1 - y^2."""

    def activate(self, x: Floats, ops: ArrayOps, out: Floats | None) -> Floats:
        return ops(np.tanh, x, out=out)

    def derivative(self, y: Floats, ops: ArrayOps) -> Floats:
        square = ops(np.square, y)
        return ops(np.subtract, constant(1.0, (), y.dtype), square, out=square)

    def saturated(self, y: Floats) -> Bools:
        return np.asarray(np.abs(y) > 0.99)


@dataclass(frozen=True)
class Sigmoid(Activation):
    """Logistic sigmoid y = 1 / (1 + exp(-x)); dy/dx = y (1 - y)."""

    def activate(self, x: Floats, ops: ArrayOps, out: Floats | None) -> Floats:
        return ops(sigmoid, x, out=out)

    def derivative(self, y: Floats, ops: ArrayOps) -> Floats:
        complement = ops(np.subtract, constant(1.0, (), y.dtype), y)
        return ops(np.multiply, complement, y, out=complement)

    def saturated(self, y: Floats) -> Bools:
        return np.asarray(np.abs(y - 0.5) > 0.495)


ACTIVATIONS: dict[str, type[Activation]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
}
"""Activation classes by configuration name."""
