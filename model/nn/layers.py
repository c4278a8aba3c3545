"""The layers of a network.

A layer is a value: `forward` writes nothing but what it returns, so any number of threads may predict with one
network, and what `backward` needs travels beside the result as the cache. `apply` is what a layer does in prediction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np

from model.array_types import Floats, constant
from model.nn.compiled_step import Run, call, transposed

Gradients = dict[str, Floats]

LARGE = 1024
"""Numbers in a weight matrix from which it is worth while to copy it for a product."""


class Layer(Protocol):
    """One step of a network."""

    elementwise: bool
    """Whether each output comes from the input at its place alone, so that it may take its memory."""

    caches_output: bool
    """Whether backward looks at the output, which then must not be overwritten by the next layer."""

    def parameters(self) -> dict[str, Floats]:
        """The learned arrays by name; empty for a layer that learns nothing."""
        ...

    def with_parameters(self, parameters: dict[str, Floats]) -> Self:
        """The same layer over other arrays."""
        ...

    def width(self, inputs: int) -> int:
        """How many outputs it has for so many inputs; ValueError where it does not fit them."""
        ...

    def apply(self, x: Floats) -> Floats:
        """(rows, inputs) to (rows, outputs), or (inputs,) to (outputs,), as in prediction."""
        ...

    def forward(
        self, x: Floats, rng: np.random.Generator | None = None, run: Run = call, *, overwrite: bool = False
    ) -> tuple[Floats, Any]:
        """(rows, inputs) to ((rows, outputs), cache).

        Args:
            x: the inputs.
            rng: a generator means training: layers may then be random.
            run: through which every array function is called.
            overwrite: whether an elementwise layer may write its output over `x`.
        """
        ...

    def backward(
        self, grad: Floats, cache: Any, run: Run = call, into: Gradients | None = None, *, wanted: bool = True
    ) -> tuple[Floats | None, Gradients]:
        """dL/d(output) to (dL/d(input), dL/d(parameter) by name).

        Args:
            grad: (rows, outputs); with `into`, an elementwise layer overwrites it.
            cache: of the forward pass.
            run: through which every array function is called.
            into: where the parameters' gradients are written.
            wanted: whether anybody asks for dL/d(input).
        """
        ...

    def multiplier(self, grad: Floats, x: Floats, reference: Floats) -> Floats:
        """dL/d(output) to dL/d(input), each derivative replaced by the slope between two inputs of the layer."""
        ...


class Parameterless:
    """What the layers without parameters share: they keep the width."""

    elementwise = True

    def parameters(self) -> dict[str, Floats]:
        return {}

    def with_parameters(self, parameters: dict[str, Floats]) -> Self:  # noqa: ARG002
        return self

    def width(self, inputs: int) -> int:
        return inputs


@dataclass(frozen=True)
class Linear:
    """y = x W + b, with W (inputs, outputs) and b (outputs,).

    dL/dW = x^T g, dL/db = sum of g over the rows, dL/dx = g W^T.
    """

    weight: Floats
    bias: Floats

    elementwise = False
    caches_output = False

    def parameters(self) -> dict[str, Floats]:
        return {"weight": self.weight, "bias": self.bias}

    def with_parameters(self, parameters: dict[str, Floats]) -> Self:
        return replace(self, **parameters)

    def width(self, inputs: int) -> int:
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[1:]:
            raise ValueError(f"has weights {self.weight.shape} and biases {self.bias.shape}")
        if self.weight.shape[0] != inputs:
            raise ValueError(f"takes {self.weight.shape[0]} inputs and is given {inputs}")
        return int(self.weight.shape[1])

    def apply(self, x: Floats) -> Floats:
        y: Floats = x.dot(self.weight)
        # a single number is added three times as fast into new memory
        return np.add(y, self.bias, None if y.ndim == 1 else y)

    def forward(
        self,
        x: Floats,
        rng: np.random.Generator | None = None,  # noqa: ARG002
        run: Run = call,
        *,
        overwrite: bool = False,  # noqa: ARG002
    ) -> tuple[Floats, Floats]:
        y = run(x.dot, self.weight)
        # a single output's bias as a number: NumPy takes that three times as fast as an array to be stretched
        return run(np.add, y, self.bias.reshape(()) if self.bias.size == 1 else self.bias, y), x

    def backward(
        self, grad: Floats, cache: Floats, run: Run = call, into: Gradients | None = None, *, wanted: bool = True
    ) -> tuple[Floats | None, Gradients]:
        into = into or {name: np.empty_like(value, grad.dtype) for name, value in self.parameters().items()}
        run(cache.T.dot, grad, into["weight"])
        # the sum over rows as a product: BLAS adds five times as fast
        run(constant(1.0, grad.shape[:1], grad.dtype).dot, grad, into["bias"])
        if not wanted:
            return None, into
        # a product with the transposed costs a third more than one with a copy of it, once that is cheap
        back = self.weight.T if self.weight.size < LARGE else run(transposed, self.weight)
        return run(grad.dot, back), into

    def multiplier(self, grad: Floats, x: Floats, reference: Floats) -> Floats:  # noqa: ARG002
        through: Floats = grad.dot(self.weight.T)
        return through


@dataclass(frozen=True)
class Dropout(Parameterless):
    """Zeroes a share of its inputs in training and scales the rest up, so that prediction needs no correction.

    (Srivastava et al. 2014, in its inverted form.) The share is exact to 1/65536.
    """

    rate: float

    caches_output = False

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 0.999:
            raise ValueError(f"a dropout rate is from 0 to 0.999, not {self.rate}")

    def apply(self, x: Floats) -> Floats:
        return x

    def mask(self, x: Floats, rng: np.random.Generator, out: Floats | None = None) -> Floats:
        """Like x: 0 with the probability `rate`, else 1 / (1 - rate)."""
        # 16 random bits an element: half the cost of a training step would go into drawing floats
        bits = np.frombuffer(rng.bytes(2 * x.size), np.uint16).reshape(x.shape)
        return np.multiply(bits >= round(self.rate * 65536), constant(1 / (1 - self.rate), (), x.dtype), out)

    def forward(
        self, x: Floats, rng: np.random.Generator | None = None, run: Run = call, *, overwrite: bool = False
    ) -> tuple[Floats, Floats | None]:
        if rng is None or self.rate == 0:
            return x, None
        mask = run(self.mask, x, rng)
        return run(np.multiply, x, mask, *([x] if overwrite else [])), mask

    def backward(
        self,
        grad: Floats,
        cache: Floats | None,
        run: Run = call,
        into: Gradients | None = None,
        *,
        wanted: bool = True,  # noqa: ARG002
    ) -> tuple[Floats, Gradients]:
        if cache is None:
            return grad, {}
        return run(np.multiply, grad, cache, *([] if into is None else [grad])), {}

    def multiplier(self, grad: Floats, x: Floats, reference: Floats) -> Floats:  # noqa: ARG002
        return grad
