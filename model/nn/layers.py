"""Network layers: base class, linear layer and dropout."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from model.array_types import Floats, constant
from model.nn.checks import require_setting
from model.nn.execution.array_ops import EAGER, ArrayOps, transposed_copy

Gradients = dict[str, Floats]
"""Gradients dL/d(parameter) of the loss L, by parameter name."""

TRANSPOSE_SIZE = 1024
"""Smallest number of weights for which a product with a transposed copy is faster than with a transposed view."""


class Layer(ABC):
    """Immutable layer of a network.

    `apply` writes only to arrays that it allocates, so any number of threads may predict with one network. `forward`
    returns a cache: the arrays that `backward` needs.

    A subclass implements `apply`, `compute_output`, `compute_input_gradient` and `rescale_multipliers`. A
    subclass with parameters also implements `parameters`, `with_parameters`, `output_width` and
    `compute_parameter_gradients`. Penalties and weight decay apply to the parameter named "weight" only.
    """

    caches_output: ClassVar[bool] = False
    """True if the cache is the output array itself, which the next layer then must not overwrite."""

    def forward(self, x: Floats, rng: np.random.Generator | None = None) -> tuple[Floats, Any]:
        """Return the outputs (rows, outputs), and the cache for `backward`.

        Args:
            x: (rows, inputs).
            rng: random generator for layers such as dropout in training; None for prediction.
        """
        return self.compute_output(x, rng, EAGER, None)

    def backward(self, output_gradient: Floats, cache: Any) -> tuple[Floats, Gradients]:
        """Return dL/d(input) (rows, inputs), and dL/d(parameter) by name.

        Args:
            output_gradient: dL/d(output), (rows, outputs).
            cache: cache from `forward`.
        """
        gradients = {name: np.empty_like(value, output_gradient.dtype) for name, value in self.parameters().items()}
        self.compute_parameter_gradients(output_gradient, cache, gradients, EAGER)
        return self.compute_input_gradient(output_gradient, cache, EAGER, None), gradients

    def parameters(self) -> dict[str, Floats]:
        """Return the parameter arrays by name; empty for a layer without parameters."""
        return {}

    def with_parameters(self, parameters: dict[str, Floats]) -> Self:  # noqa: ARG002
        """Return a copy of the layer that uses the given parameter arrays."""
        return self

    def output_width(self, inputs: int) -> int:
        """Return the number of outputs of the layer for the given number of inputs.

        Raises:
            ValueError: the layer does not accept this number of inputs.
        """
        return inputs

    @abstractmethod
    def apply(self, x: Floats) -> Floats:
        """Return the outputs in prediction: (rows, outputs) for (rows, inputs), or (outputs,) for (inputs,)."""

    @abstractmethod
    def compute_output(
        self, x: Floats, rng: np.random.Generator | None, ops: ArrayOps, out: Floats | None
    ) -> tuple[Floats, Any]:
        """Compute the outputs (rows, outputs) and the cache of `forward`.

        Args:
            x: (rows, inputs).
            rng: random generator in training; None for prediction.
            ops: executor for all array calls.
            out: array for the output of an elementwise layer, possibly `x` itself; None allocates an array.
        """

    def compute_parameter_gradients(  # noqa: B027  most layers have no parameters
        self, output_gradient: Floats, cache: Any, gradients: Gradients, ops: ArrayOps
    ) -> None:
        """Write dL/d(parameter) of each parameter to `gradients`.

        Args:
            output_gradient: dL/d(output), (rows, outputs).
            cache: cache from `forward`.
            gradients: arrays for the results, by parameter name.
            ops: executor for all array calls.
        """

    @abstractmethod
    def compute_input_gradient(
        self, output_gradient: Floats, cache: Any, ops: ArrayOps, out: Floats | None
    ) -> Floats:
        """Compute dL/d(input), (rows, inputs).

        Args:
            output_gradient: dL/d(output), (rows, outputs).
            cache: cache from `forward`.
            ops: executor for all array calls.
            out: array for the result of an elementwise layer, possibly `output_gradient`; None allocates an array.
        """

    @abstractmethod
    def rescale_multipliers(self, multipliers: Floats, x: Floats, reference: Floats) -> Floats:
        """Propagate DeepLIFT multipliers from the output to the input (rescale rule, Shrikumar et al. 2017).

        Args:
            multipliers: multipliers of the outputs, (rows, outputs); one row per output of the network.
            x: input of the layer, (1, inputs).
            reference: input of the layer for the reference input of the network, (1, inputs).

        Returns:
            Multipliers of the inputs, (rows, inputs).
        """


@dataclass(frozen=True)
class Linear(Layer):
    """Affine layer y = x W + b with weight W (inputs, outputs) and bias b (outputs,).

    With g = dL/dy: dL/dW = x^T g, dL/db = sum of g over the rows, dL/dx = g W^T.
    """

    weight: Floats
    bias: Floats

    def parameters(self) -> dict[str, Floats]:
        return {"weight": self.weight, "bias": self.bias}

    def with_parameters(self, parameters: dict[str, Floats]) -> Self:
        return replace(self, **parameters)

    def output_width(self, inputs: int) -> int:
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[1:]:
            raise ValueError(f"has weights of shape {self.weight.shape} and biases of shape {self.bias.shape}")
        if self.weight.shape[0] != inputs:
            raise ValueError(f"takes {self.weight.shape[0]} inputs, not {inputs}")
        return int(self.weight.shape[1])

    def apply(self, x: Floats) -> Floats:
        y: Floats = x.dot(self.weight)
        # For a single row, NumPy adds into new memory three times as fast as in place.
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

    def compute_parameter_gradients(
        self, output_gradient: Floats, cache: Floats, gradients: Gradients, ops: ArrayOps
    ) -> None:
        ops(cache.T.dot, output_gradient, out=gradients["weight"])
        # A BLAS product with a vector of ones sums the rows five times as fast as NumPy's reduction.
        ops(
            constant(1.0, output_gradient.shape[:1], output_gradient.dtype).dot,
            output_gradient,
            out=gradients["bias"],
        )

    def compute_input_gradient(
        self,
        output_gradient: Floats,
        cache: Floats,  # noqa: ARG002
        ops: ArrayOps,
        out: Floats | None,  # noqa: ARG002
    ) -> Floats:
        # BLAS multiplies by a transposed view a third slower than by a transposed copy.
        large = self.weight.size >= TRANSPOSE_SIZE
        transposed = ops(transposed_copy, self.weight) if large else self.weight.T
        return ops(output_gradient.dot, transposed)

    def rescale_multipliers(self, multipliers: Floats, x: Floats, reference: Floats) -> Floats:  # noqa: ARG002
        input_multipliers: Floats = multipliers.dot(self.weight.T)
        return input_multipliers


@dataclass(frozen=True)
class Dropout(Layer):
    """Inverted dropout (Srivastava et al. 2014).

    In training, each input is zeroed with probability `rate`, rounded to a multiple of 1/65536; the other inputs are
    scaled by 1 / (1 - rate). In prediction, the output is the input.
    """

    rate: float

    def __post_init__(self) -> None:
        require_setting(0 <= self.rate <= 0.999, "dropout rate", self.rate, "from 0 to 0.999")

    def apply(self, x: Floats) -> Floats:
        return x

    def mask(self, x: Floats, rng: np.random.Generator, out: Floats | None = None) -> Floats:
        """Draw a mask of the same shape as `x`: 0 with probability `rate`, else 1 / (1 - rate)."""
        # 16 random bits per element instead of a float halve the time of a training step.
        bits = np.frombuffer(rng.bytes(2 * x.size), np.uint16).reshape(x.shape)
        return np.multiply(bits >= round(self.rate * 65536), constant(1 / (1 - self.rate), (), x.dtype), out)

    def compute_output(
        self, x: Floats, rng: np.random.Generator | None, ops: ArrayOps, out: Floats | None
    ) -> tuple[Floats, Floats | None]:
        if rng is None or self.rate == 0:
            return x, None
        mask = ops(self.mask, x, rng)
        return ops(np.multiply, x, mask, out=out), mask

    def compute_input_gradient(
        self, output_gradient: Floats, cache: Floats | None, ops: ArrayOps, out: Floats | None
    ) -> Floats:
        if cache is None:
            return output_gradient
        return ops(np.multiply, output_gradient, cache, out=out)

    def rescale_multipliers(self, multipliers: Floats, x: Floats, reference: Floats) -> Floats:  # noqa: ARG002
        return multipliers
