"""Optimizers over one flat parameter vector: SGD, RMSprop, Adam and AdamW.

All parameters of a network are one array, so a step takes the same few NumPy calls for any number of layers. Arrays
are allocated at the first step and updated in place. Gradients must be finite: a NaN would remain in the moments.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from model.array_types import Floats, aligned_zeros
from model.nn.checks import require_setting

FLUSH_INTERVAL = 128
"""Number of steps between two flushes of Adam's first moments to zero."""

FLUSH_THRESHOLD = 1e-30
"""Absolute value below which a flush sets a first moment to zero.

While the gradient is zero, a first moment halves every seven steps until it is a denormal number, which slows
arithmetic down.
"""

BELOW_1 = "at least 0 and below 1"
POSITIVE = "above 0"


@dataclass
class OptimizerState:
    """State of an optimizer between two steps; empty before the first step.

    Attributes:
        arrays: (parameters,) arrays by name, e.g. the first moment.
        steps: number of steps; 0 in optimizers that do not count them.
    """

    arrays: dict[str, Floats] = field(default_factory=dict)
    steps: int = 0

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the arrays, and "steps" if steps are counted."""
        return frozenset(self.arrays) | ({"steps"} if self.steps else set())

    def array(self, name: str, gradient: Floats) -> Floats:
        """Return an array by name; at the first call, create it with zeros of the size and dtype of `gradient`."""
        if name not in self.arrays:
            self.arrays[name] = aligned_zeros(gradient.size, gradient.dtype)
        return self.arrays[name]


class Optimizer(Protocol):
    """Rule that computes the update of the parameters from their gradient."""

    state: OptimizerState
    """State that the next step reads; a resumed training run sets it to the saved state."""

    @property
    def state_names(self) -> frozenset[str]:
        """Return the `names` of the state after the first step."""
        ...

    def update(self, parameters: Floats, gradient: Floats, rate: float) -> Floats:
        """Return the update to add to the parameters, in an array that the next call overwrites.

        Args:
            parameters: (parameters,).
            gradient: (parameters,), finite.
            rate: learning rate.
        """
        ...


@dataclass
class _OptimizerBase:
    """Base class of the optimizers, with the state and the array that `update` returns."""

    state: OptimizerState = field(default_factory=OptimizerState, repr=False, kw_only=True)
    _result: Floats | None = field(default=None, init=False, repr=False, compare=False)

    def _allocate_result(self, gradient: Floats) -> Floats:
        """Allocate the array for the result and the intermediate results of `update`."""
        self._result = aligned_zeros(gradient.size, gradient.dtype)
        return self._result


@dataclass
class SGD(_OptimizerBase):
    """Stochastic gradient descent with optional momentum (Sutskever et al. 2013).

    For the gradient g, v = momentum v + g. The update is -rate v, or -rate (g + momentum v) with Nesterov momentum.
    """

    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        require_setting(0 <= self.momentum < 1, "momentum", self.momentum, BELOW_1)

    @property
    def state_names(self) -> frozenset[str]:
        return frozenset({"velocity"} if self.momentum else ())

    def update(self, parameters: Floats, gradient: Floats, rate: float) -> Floats:  # noqa: ARG002
        step = self._allocate_result(gradient) if self._result is None else self._result
        if not self.momentum:
            return np.multiply(gradient, -rate, step)
        velocity = self.state.array("velocity", gradient)
        np.multiply(velocity, self.momentum, velocity)
        np.add(velocity, gradient, velocity)
        if not self.nesterov:
            return np.multiply(velocity, -rate, step)
        np.multiply(velocity, self.momentum, step)
        np.add(step, gradient, step)
        return np.multiply(step, -rate, step)


@dataclass
class RMSprop(_OptimizerBase):
    """RMSprop (Tieleman and Hinton 2012).

    For the gradient g, v = decay v + (1 - decay) g^2. The update is -rate g / (sqrt(v) + epsilon).
    """

    decay: float = 0.99
    epsilon: float = 1e-8

    state_names = frozenset({"square"})

    def __post_init__(self) -> None:
        require_setting(0 <= self.decay < 1, "decay", self.decay, BELOW_1)
        require_setting(self.epsilon > 0, "epsilon", self.epsilon, POSITIVE)

    def update(self, parameters: Floats, gradient: Floats, rate: float) -> Floats:  # noqa: ARG002
        step = self._allocate_result(gradient) if self._result is None else self._result
        square = self.state.array("square", gradient)
        np.square(gradient, step)
        np.multiply(step, 1 - self.decay, step)
        np.multiply(square, self.decay, square)
        np.add(square, step, square)
        np.sqrt(square, step)
        np.add(step, self.epsilon, step)
        np.divide(gradient, step, step)
        return np.multiply(step, -rate, step)


@dataclass
class Adam(_OptimizerBase):
    """Adam (Kingma and Ba 2015, algorithm 1).

    The moments of the gradient g are stored without the factors 1 - beta: m = beta1 m + g, v = beta2 v + g^2. The
    factors, the bias corrections and the learning rate are combined into two scalars per step.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    _scalars: tuple[Floats, ...] = field(default=(), init=False, repr=False, compare=False)

    state_names = frozenset({"mean", "square", "steps"})

    def __post_init__(self) -> None:
        require_setting(0 <= self.beta1 < 1, "beta1", self.beta1, BELOW_1)
        require_setting(0 <= self.beta2 < 1, "beta2", self.beta2, BELOW_1)
        require_setting(self.epsilon > 0, "epsilon", self.epsilon, POSITIVE)

    def update(self, parameters: Floats, gradient: Floats, rate: float) -> Floats:  # noqa: ARG002
        step = self._allocate_result(gradient) if self._result is None else self._result
        mean = self.state.array("mean", gradient)
        square = self.state.array("square", gradient)
        self.state.steps += 1
        t = self.state.steps
        beta1, beta2, epsilon, scale = self._scalars
        # sqrt(v) / root is the square root of the bias-corrected second moment.
        root = math.sqrt((1 - self.beta2**t) / (1 - self.beta2))
        scale[...] = -rate * root * (1 - self.beta1) / (1 - self.beta1**t)
        epsilon[...] = self.epsilon * root
        np.multiply(mean, beta1, mean)
        np.add(mean, gradient, mean)
        if t % FLUSH_INTERVAL == 0:
            mean[np.abs(mean) < FLUSH_THRESHOLD] = 0
        np.multiply(square, beta2, square)
        np.add(square, np.square(gradient, step), square)
        np.sqrt(square, step)
        np.add(step, epsilon, step)
        np.divide(mean, step, step)
        return np.multiply(step, scale, step)

    def _allocate_result(self, gradient: Floats) -> Floats:
        # 0-d arrays of the dtype of the gradient: NumPy would convert a Python number at each call.
        self._scalars = tuple(np.array(value, gradient.dtype) for value in (self.beta1, self.beta2, 0, 0))
        return super()._allocate_result(gradient)


@dataclass
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019).

    The update is Adam's update minus rate * weight_decay * p.

    Attributes:
        weight_decay: decay factor.
        decayed: number of leading parameters p that decay; None for all.
    """

    weight_decay: float = 0.01
    decayed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_setting(self.weight_decay >= 0, "weight_decay", self.weight_decay, "at least 0")

    def update(self, parameters: Floats, gradient: Floats, rate: float) -> Floats:
        step = super().update(parameters, gradient, rate)
        if self.weight_decay:
            decay = parameters[: self.decayed] * parameters.dtype.type(rate * self.weight_decay)
            decayed_step = step[: self.decayed]
            np.subtract(decayed_step, decay, decayed_step)
        return step


OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {
    "sgd": SGD,
    "momentum": lambda: SGD(momentum=0.9),
    "nesterov": lambda: SGD(momentum=0.9, nesterov=True),
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}
"""Optimizer factories by configuration name."""
