"""Optimizers over one flat parameter vector: SGD, RMSprop, Adam and AdamW.

All parameters of a network are one array, so a step is a few vector operations regardless of the number of layers.
State arrays are allocated at the first step and updated in place. Gradients must be finite: a NaN would remain in the
moments.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from model.array_types import Floats, aligned_zeros

FLUSH_INTERVAL = 128
"""Steps between two flushes of small first moments of Adam to zero."""

FLUSH_THRESHOLD = 1e-30
"""First moments below this are flushed: without gradient a moment halves every seven steps and would become a
denormal number, with which processors compute slowly."""


@dataclass
class OptimizerState:
    """State of an optimizer, empty before the first step.

    Attributes:
        arrays: (parameters,) arrays by name, e.g. the first moment.
        steps: number of steps, for optimizers that need it.
    """

    arrays: dict[str, Floats] = field(default_factory=dict)
    steps: int = 0

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the arrays, and "steps" if steps are counted."""
        return frozenset(self.arrays) | ({"steps"} if self.steps else set())

    def array(self, name: str, grad: Floats) -> Floats:
        """Return an array; create it with zeros of the size and dtype of `grad` if missing."""
        if name not in self.arrays:
            self.arrays[name] = aligned_zeros(grad.size, grad.dtype)
        return self.arrays[name]


class Optimizer(Protocol):
    """Rule that computes the update of the parameters from their gradient."""

    state: OptimizerState
    """Assigning a saved state resumes from it."""

    @property
    def state_names(self) -> frozenset[str]:
        """Return the names that `state` has after the first step."""
        ...

    def update(self, weights: Floats, grad: Floats, rate: float) -> Floats:
        """Return the update to add to the weights; the next call overwrites it.

        Args:
            weights: (parameters,).
            grad: (parameters,), finite.
            rate: learning rate.
        """
        ...


@dataclass
class SGD:
    """Stochastic gradient descent with optional momentum (Sutskever et al. 2013).

    v = momentum v + g; the update is -rate v, with Nesterov momentum -rate (g + momentum v).
    """

    momentum: float = 0.0
    nesterov: bool = False
    state: OptimizerState = field(default_factory=OptimizerState, repr=False)

    def __post_init__(self) -> None:
        _require(0 <= self.momentum < 1, self)

    @property
    def state_names(self) -> frozenset[str]:
        return frozenset({"step", "velocity"} if self.momentum else {"step"})

    def update(self, weights: Floats, grad: Floats, rate: float) -> Floats:  # noqa: ARG002
        step = self.state.array("step", grad)
        if not self.momentum:
            return np.multiply(grad, -rate, step)
        velocity = self.state.array("velocity", grad)
        np.multiply(velocity, self.momentum, velocity)
        np.add(velocity, grad, velocity)
        if not self.nesterov:
            return np.multiply(velocity, -rate, step)
        np.multiply(velocity, self.momentum, step)
        np.add(step, grad, step)
        return np.multiply(step, -rate, step)


@dataclass
class RMSprop:
    """RMSprop (Tieleman and Hinton 2012).

    v = decay v + (1 - decay) g^2; the update is -rate g / (sqrt(v) + epsilon).
    """

    decay: float = 0.99
    epsilon: float = 1e-8
    state: OptimizerState = field(default_factory=OptimizerState, repr=False)

    state_names = frozenset({"step", "square"})

    def __post_init__(self) -> None:
        _require(0 <= self.decay < 1 and self.epsilon > 0, self)

    def update(self, weights: Floats, grad: Floats, rate: float) -> Floats:  # noqa: ARG002
        step = self.state.array("step", grad)
        square = self.state.array("square", grad)
        np.square(grad, step)
        np.multiply(step, 1 - self.decay, step)
        np.multiply(square, self.decay, square)
        np.add(square, step, square)
        np.sqrt(square, step)
        np.add(step, self.epsilon, step)
        np.divide(grad, step, step)
        return np.multiply(step, -rate, step)


@dataclass
class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1).

    The moments are kept without their factors (1 - beta): m = beta1 m + g, v = beta2 v + g^2. These factors, the bias
    corrections and the learning rate then combine into two scalars per step.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    state: OptimizerState = field(default_factory=OptimizerState, repr=False)
    _step: Floats | None = field(default=None, repr=False, compare=False)
    _scalars: tuple[Floats, ...] = field(default=(), repr=False, compare=False)

    state_names = frozenset({"mean", "square", "steps"})

    def __post_init__(self) -> None:
        _require(0 <= self.beta1 < 1 and 0 <= self.beta2 < 1 and self.epsilon > 0, self)

    def update(self, weights: Floats, grad: Floats, rate: float) -> Floats:  # noqa: ARG002
        step = self._allocate(grad) if self._step is None else self._step
        mean = self.state.array("mean", grad)
        square = self.state.array("square", grad)
        self.state.steps += 1
        t = self.state.steps
        beta1, beta2, epsilon, scale = self._scalars
        # sqrt(v) over this root is the square root of the bias-corrected second moment.
        root = math.sqrt((1 - self.beta2**t) / (1 - self.beta2))
        scale[...] = -rate * root * (1 - self.beta1) / (1 - self.beta1**t)
        epsilon[...] = self.epsilon * root
        np.multiply(mean, beta1, mean)
        np.add(mean, grad, mean)
        if t % FLUSH_INTERVAL == 0:
            mean[np.abs(mean) < FLUSH_THRESHOLD] = 0
        np.multiply(square, beta2, square)
        np.add(square, np.square(grad, step), square)
        np.sqrt(square, step)
        np.add(step, epsilon, step)
        np.divide(mean, step, step)
        return np.multiply(step, scale, step)

    def _allocate(self, grad: Floats) -> Floats:
        self._step = aligned_zeros(grad.size, grad.dtype)
        # 0-d arrays of the dtype of the gradient: NumPy would convert a Python number at each call.
        self._scalars = tuple(np.array(value, grad.dtype) for value in (self.beta1, self.beta2, 0, 0))
        return self._step


@dataclass
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): the update is reduced by rate weight_decay w.

    Attributes:
        weight_decay: decay factor.
        decayed: number of leading parameters that decay; None for all.
    """

    weight_decay: float = 0.01
    decayed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _require(self.weight_decay >= 0, self)

    def update(self, weights: Floats, grad: Floats, rate: float) -> Floats:
        step = super().update(weights, grad, rate)
        if self.weight_decay:
            decay = weights[: self.decayed] * weights.dtype.type(rate * self.weight_decay)
            decayed_step = step[: self.decayed]
            np.subtract(decayed_step, decay, decayed_step)
        return step


def _require(valid: bool, optimizer: object) -> None:
    if not valid:
        raise ValueError(f"{optimizer!r}: momentum, decay and betas must be from 0 to below 1, epsilon above 0")


OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {
    "sgd": SGD,
    "momentum": lambda: SGD(momentum=0.9),
    "nesterov": lambda: SGD(momentum=0.9, nesterov=True),
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}
"""Optimizer factories by configuration name."""


def make_optimizer(name: str, weight_decay: float = 0.0, decayed: int | None = None) -> Optimizer:
    """Create the optimizer of that name.

    Args:
        name: name in OPTIMIZERS.
        weight_decay: decoupled weight decay, for "adamw" only.
        decayed: number of leading parameters that decay; None for all.

    Raises:
        ValueError: unknown name, or a weight decay for an optimizer without it.
    """
    if name not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer {name!r}; one of {', '.join(OPTIMIZERS)}")
    if name == "adamw":
        return AdamW(weight_decay=weight_decay, decayed=decayed)
    if weight_decay:
        raise ValueError(f'{name} takes no weight_decay; "adamw" does')
    return OPTIMIZERS[name]()
