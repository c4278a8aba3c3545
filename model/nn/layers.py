"""Network layers: base class, linear layer and dropout."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from model.array_types import Floats, constant
from model.nn.numerics import EAGER, ArrayOps, transposed_copy

Gradients = dict[str, Floats]

TRANSPOSE_SIZE = 1024
"""Number of weights above which a product with a transposed copy is faster than one with a transposed view."""


class Layer(ABC):
    """Immutable layer of a network.

    A layer writes only to arrays that it allocates itself, so any number of threads may predict with one network. The
    arrays that the backward pass needs are returned by the forward pass as the cache.

    A new layer implements `apply`, `compute_output`, `compute_input_gradient` and `rescale_gradient`; one with
    parameters also `parameters`, `with_parameters`, `output_width` and `compute_parameter_gradients`.
    """

    caches_output: ClassVar[bool] = False
    """True if the cache is the output itself; the next layer must then not overwrite it."""

    def forward(self, x: Floats, rng: np.random.Generator | None = None) -> tuple[Floats, Any]:
        """Return the outputs (rows, outputs) for inputs (rows, inputs), and the cache.

        Args:
            x: (rows, inputs).
            rng: randomness of layers such as dropout while training; None for prediction.
        """
        return self.compute_output(x, rng, EAGER, None)

    def backward(self, grad: Floats, cache: Any) -> tuple[Floats, Gradients]:
        """Return dL/d(input) (rows, inputs), and dL/d(parameter) by name.

        Args:
            grad: dL/d(output), (rows, outputs).
            cache: cache of the forward pass.
        """
        gradients = {name: np.empty_like(value, grad.dtype) for name, value in self.parameters().items()}
        self.compute_parameter_gradients(grad, cache, gradients, EAGER)
        return self.compute_input_gradient(grad, cache, EAGER, None), gradients

    def parameters(self) -> dict[str, Floats]:
        """Return the parameter arrays by name."""
        return {}

    def with_parameters(self, parameters: dict[str, Floats]) -> Self:  # noqa: ARG002
        """Return the same layer with other parameter arrays."""
        return self

    def output_width(self, inputs: int) -> int:
        """Return the number of outputs for a number of inputs.

        Raises:
            ValueError: the layer does not accept this number of inputs.
        """
        return inputs

    @abstractmethod
    def apply(self, x: Floats) -> Floats:
        """Predict: (rows, inputs) to (rows, outputs), or (inputs,) to (outputs,)."""

    @abstractmethod
    def compute_output(
        self, x: Floats, rng: np.random.Generator | None, ops: ArrayOps, out: Floats | None
    ) -> tuple[Floats, Any]:
        """Compute `forward` by calls through `ops`; an elementwise layer writes its output to `out`."""

    def compute_parameter_gradients(self, grad: Floats, cache: Any, gradients: Gradients, ops: ArrayOps) -> None:  # noqa: B027
        """Write dL/d(parameter) to the arrays in `gradients` by calls through `ops`."""

    @abstractmethod
    def compute_input_gradient(self, grad: Floats, cache: Any, ops: ArrayOps, out: Floats | None) -> Floats:
        """Compute dL/d(input) by calls through `ops`; an elementwise layer writes it to `out`."""

    @abstractmethod
    def rescale_gradient(self, grad: Floats, x: Floats, reference: Floats) -> Floats:
        """Return dL/d(input) with derivatives replaced by the slope between two inputs of the layer.

        Args:
            grad: dL/d(output), (rows, outputs).
            x: (1, inputs).
            reference: (1, inputs).
        """


@dataclass(frozen=True)
class Linear(Layer):
    """Affine layer y = x W + b with weight W (inputs, outputs) and bias b (outputs,).

    dL/dW = x^T g, dL/db = sum of g over the rows, dL/dx = g W^T.
    """

    weight: Floats
    bias: Floats

    def parameters(self) -> dict[str, Floats]:
        return {"weight": self.weight, "bias": self.bias}

    def with_parameters(self, parameters: dict[str, Floats]) -> Self:
        return replace(self, **parameters)

    def output_width(self, inputs: int) -> int:
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[1:]:
            raise ValueError(f"has weights {self.weight.shape} and biases {self.bias.shape}")
        if self.weight.shape[0] != inputs:
            raise ValueError(f"takes {self.weight.shape[0]} inputs and is given {inputs}")
        return int(self.weight.shape[1])

    def apply(self, x: Floats) -> Floats:
        y: Floats = x.dot(self.weight)
        # For a single row, addition into new memory is three times as fast as in place.
        return np.add(y, self.bias, None if y.ndim == 1 else y)

    def compute_output(
        self,
        x: Floats,
        rng: np.random.Generator | None,  # noqa: ARG002
        ops: ArrayOps,
        out: Floats | None,  # noqa: ARG002
    ) -> tuple[Floats, Floats]:
        y = ops(x.dot, self.weight)
        # NumPy adds a 0-d array three times as fast as it broadcasts an array of one element.
        bias = self.bias.reshape(()) if self.bias.size == 1 else self.bias
        return ops(np.add, y, bias, out=y), x

    def compute_parameter_gradients(self, grad: Floats, cache: Floats, gradients: Gradients, ops: ArrayOps) -> None:
        ops(cache.T.dot, grad, out=gradients["weight"])
        # BLAS sums the rows five times as fast, as a product with ones, as NumPy's reduction.
        ops(constant(1.0, grad.shape[:1], grad.dtype).dot, grad, out=gradients["bias"])

    def compute_input_gradient(
        self,
        grad: Floats,
        cache: Floats,  # noqa: ARG002
        ops: ArrayOps,
        out: Floats | None,  # noqa: ARG002
    ) -> Floats:
        # BLAS multiplies by a transposed view a third slower than by a copy of it.
        large = self.weight.size >= TRANSPOSE_SIZE
        transposed = ops(transposed_copy, self.weight) if large else self.weight.T
        return ops(grad.dot, transposed)

    def rescale_gradient(self, grad: Floats, x: Floats, reference: Floats) -> Floats:  # noqa: ARG002
        input_gradient: Floats = grad.dot(self.weight.T)
        return input_gradient


@dataclass(frozen=True)
class Dropout(Layer):
    """Inverted dropout (Srivastava et al. 2014).

    In training each input is zeroed with probability `rate`, the others are scaled by 1 / (1 - rate); in prediction
    inputs pass unchanged. The probability is exact to 1/65536.
    """

    rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 0.999:
            raise ValueError(f"dropout rate must be from 0 to 0.999, not {self.rate}")

    def apply(self, x: Floats) -> Floats:
        return x

    def mask(self, x: Floats, rng: np.random.Generator, out: Floats | None = None) -> Floats:
        """Draw a mask of the shape of `x`: 0 with probability `rate`, else 1 / (1 - rate)."""
        # Drawing 16 random bits per element instead of a float halves the cost of a training step.
        bits = np.frombuffer(rng.bytes(2 * x.size), np.uint16).reshape(x.shape)
        return np.multiply(bits >= round(self.rate * 65536), constant(1 / (1 - self.rate), (), x.dtype), out)

    def compute_output(
        self, x: Floats, rng: np.random.Generator | None, ops: ArrayOps, out: Floats | None
    ) -> tuple[Floats, Floats | None]:
        if rng is None or self.rate == 0:
            return x, None
        mask = ops(self.mask, x, rng)
        return ops(np.multiply, x, mask, out=out), mask

    def compute_input_gradient(self, grad: Floats, cache: Floats | None, ops: ArrayOps, out: Floats | None) -> Floats:
        if cache is None:
            return grad
        return ops(np.multiply, grad, cache, out=out)

    def rescale_gradient(self, grad: Floats, x: Floats, reference: Floats) -> Floats:  # noqa: ARG002
        return grad
