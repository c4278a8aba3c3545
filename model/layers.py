"""The layers of a network.

A layer is a value: `forward` writes nothing, so any number of threads may predict with one network, and what
`backward` needs travels beside the result as the cache.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np

from model.arrays import Floats

Gradients = dict[str, Floats]


class Layer(Protocol):
    """One step of a network."""

    def parameters(self) -> dict[str, Floats]:
        """The learned arrays by name; empty for a layer that learns nothing."""
        ...

    def with_parameters(self, parameters: dict[str, Floats]) -> Self:
        """The same layer over other arrays."""
        ...

    def forward(self, x: Floats, rng: np.random.Generator | None = None) -> tuple[Floats, Any]:
        """(rows, inputs) to ((rows, outputs), cache). A generator means training: layers may then be random."""
        ...

    def backward(self, grad: Floats, cache: Any) -> tuple[Floats, Gradients]:
        """dL/d(output) to (dL/d(input), dL/d(parameter) by name)."""
        ...

    def multiplier(self, grad: Floats, cache: Any, reference: Any) -> Floats:
        """Like `backward`, with each derivative replaced by the slope between the cache and a reference cache."""
        ...


@dataclass(frozen=True)
class Linear:
    """y = x W + b, with W (inputs, outputs) and b (outputs,).

    dL/dW = x^T g, dL/db = sum of g over the rows, dL/dx = g W^T.
    """

    weight: Floats
    bias: Floats

    def parameters(self) -> dict[str, Floats]:
        return {"weight": self.weight, "bias": self.bias}

    def with_parameters(self, parameters: dict[str, Floats]) -> Self:
        return replace(self, **parameters)

    def forward(self, x: Floats, rng: np.random.Generator | None = None) -> tuple[Floats, Floats]:  # noqa: ARG002
        return x @ self.weight + self.bias, x

    def backward(self, grad: Floats, cache: Floats) -> tuple[Floats, Gradients]:
        return grad @ self.weight.T, {"weight": cache.T @ grad, "bias": grad.sum(axis=0)}

    def multiplier(self, grad: Floats, cache: Floats, reference: Floats) -> Floats:  # noqa: ARG002
        return grad @ self.weight.T


class _Parameterless:
    """What the layers without parameters share."""

    def parameters(self) -> dict[str, Floats]:
        return {}

    def with_parameters(self, parameters: dict[str, Floats]) -> Self:  # noqa: ARG002
        return self


@dataclass(frozen=True)
class ReLU(_Parameterless):
    """y = max(x, 0); the gradient passes where x > 0."""

    def forward(self, x: Floats, rng: np.random.Generator | None = None) -> tuple[Floats, Floats]:  # noqa: ARG002
        return np.maximum(x, 0), x

    def backward(self, grad: Floats, cache: Floats) -> tuple[Floats, Gradients]:
        return grad * (cache > 0), {}

    def multiplier(self, grad: Floats, cache: Floats, reference: Floats) -> Floats:
        """The slope of the chord from the reference to x ("rescale" rule, Shrikumar et al. 2017)."""
        rise = np.maximum(cache, 0) - np.maximum(reference, 0)
        run = cache - reference
        slope = np.divide(rise, run, out=(cache > 0).astype(rise.dtype), where=np.abs(run) > 1e-12)
        return np.asarray(grad * slope)


@dataclass(frozen=True)
class Dropout(_Parameterless):
    """Zeroes a share of its inputs in training and scales the rest up, so that prediction needs no correction."""

    rate: float

    def forward(self, x: Floats, rng: np.random.Generator | None = None) -> tuple[Floats, Floats | None]:
        if rng is None or self.rate == 0:
            return x, None
        kept = rng.random(x.shape, dtype=np.float32) >= self.rate
        mask = kept.astype(x.dtype) / x.dtype.type(1 - self.rate)
        return x * mask, mask

    def backward(self, grad: Floats, cache: Floats | None) -> tuple[Floats, Gradients]:
        return (grad if cache is None else grad * cache), {}

    def multiplier(self, grad: Floats, cache: Floats | None, reference: Floats | None) -> Floats:  # noqa: ARG002
        return grad
