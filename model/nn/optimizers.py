"""Optimizers over one flat parameter vector.

All parameters of a network live in one array, so a step is a handful of vector operations whatever the depth.
What an optimizer remembers is made at its first step and written in place from then on.

A non-finite gradient must be kept away from them: their memory would never recover.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from model.array_types import Floats, aligned_zeros

State = dict[str, Any]

CLEAR_EVERY, FADED = 128, 1e-30
"""The mean gradient of a weight that gets none halves every seven steps. Before it becomes so small that processors
take a slow path for it, it is cleared."""


class Optimizer(Protocol):
    """Turns a gradient into the next step."""

    state: State
    """What it remembers: arrays (size,) and numbers by name. Setting it resumes where it was taken."""

    @property
    def remembers(self) -> frozenset[str]:
        """The names in a state that is not empty."""
        ...

    def update(self, weights: Floats, grad: Floats, rate: float) -> Floats:
        """The step to add to `weights`; (size,) like both, and overwritten by the next call."""
        ...


@dataclass
class SGD:
    """Stochastic gradient descent, v = momentum v + g; step = -rate v, or -rate (g + momentum v) with Nesterov.

    (Sutskever et al. 2013, in the form that keeps the rate out of the velocity.)
    """

    momentum: float = 0.0
    nesterov: bool = False
    state: State = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        _require(0 <= self.momentum < 1, self)

    @property
    def remembers(self) -> frozenset[str]:
        return frozenset({"step", "velocity"} if self.momentum else {"step"})

    def update(self, weights: Floats, grad: Floats, rate: float) -> Floats:  # noqa: ARG002
        step = _remembered(self.state, "step", grad)
        if not self.momentum:
            return np.multiply(grad, -rate, step)
        velocity = _remembered(self.state, "velocity", grad)
        np.multiply(velocity, self.momentum, velocity)
        np.add(velocity, grad, velocity)
        if not self.nesterov:
            return np.multiply(velocity, -rate, step)
        np.multiply(velocity, self.momentum, step)
        np.add(step, grad, step)
        return np.multiply(step, -rate, step)


@dataclass
class RMSprop:
    """v = decay v + (1 - decay) g^2; step = -rate g / (sqrt(v) + epsilon) (Tieleman and Hinton 2012)."""

    decay: float = 0.99
    epsilon: float = 1e-8
    state: State = field(default_factory=dict, repr=False)

    remembers = frozenset({"step", "square"})

    def __post_init__(self) -> None:
        _require(0 <= self.decay < 1 and self.epsilon > 0, self)

    def update(self, weights: Floats, grad: Floats, rate: float) -> Floats:  # noqa: ARG002
        step = _remembered(self.state, "step", grad)
        square = _remembered(self.state, "square", grad)
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

    Its two means are kept without their factors (1 - beta), m = beta1 m + g and v = beta2 v + g^2; these, the bias
    corrections and the rate then join in two numbers, and epsilon stands beside the corrected root as in the paper.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    state: State = field(default_factory=dict, repr=False)
    _step: Floats | None = field(default=None, repr=False, compare=False)
    _numbers: tuple[Floats, ...] = field(default=(), repr=False, compare=False)

    remembers = frozenset({"mean", "square", "steps"})

    def __post_init__(self) -> None:
        _require(0 <= self.beta1 < 1 and 0 <= self.beta2 < 1 and self.epsilon > 0, self)

    def update(self, weights: Floats, grad: Floats, rate: float) -> Floats:  # noqa: ARG002
        state = self.state
        if not state:
            state |= {name: aligned_zeros(grad.size, grad.dtype) for name in ("mean", "square")} | {"steps": 0}
        if self._step is None:
            self._step = aligned_zeros(grad.size, grad.dtype)
            self._numbers = tuple(np.array(value, grad.dtype) for value in (self.beta1, self.beta2, 0, 0))
        step, mean, square = self._step, state["mean"], state["square"]
        beta1, beta2, epsilon, scale = self._numbers
        t = state["steps"] = state["steps"] + 1
        # sqrt of v over this is the root of the corrected mean
        root = math.sqrt((1 - self.beta2**t) / (1 - self.beta2))
        scale[...] = -rate * root * (1 - self.beta1) / (1 - self.beta1**t)
        epsilon[...] = self.epsilon * root
        np.multiply(mean, beta1, mean)
        np.add(mean, grad, mean)
        if t % CLEAR_EVERY == 0:
            mean[np.abs(mean) < FADED] = 0
        np.multiply(square, beta2, square)
        np.add(square, np.square(grad, step), square)
        np.sqrt(square, step)
        np.add(step, epsilon, step)
        np.divide(mean, step, step)
        return np.multiply(step, scale, step)


@dataclass
class AdamW(Adam):
    """Adam with decoupled weight decay: step -= rate weight_decay w (Loshchilov and Hutter 2019).

    Attributes:
        decayed: how many of the first weights decay; None for all.
    """

    weight_decay: float = 0.01
    decayed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _require(self.weight_decay >= 0, self)

    def update(self, weights: Floats, grad: Floats, rate: float) -> Floats:
        step = super().update(weights, grad, rate)
        if self.weight_decay:
            own = step[: self.decayed]
            np.subtract(own, weights[: self.decayed] * weights.dtype.type(rate * self.weight_decay), own)
        return step


def _require(sense: bool, optimizer: object) -> None:
    if not sense:
        raise ValueError(f"{optimizer!r} is no optimizer: momentum, decay and betas are from 0 to below 1")


def _remembered(state: State, name: str, like: Floats) -> Floats:
    found: Floats | None = state.get(name)
    if found is None:
        found = state[name] = aligned_zeros(like.size, like.dtype)
    return found


OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {
    "sgd": SGD,
    "momentum": lambda: SGD(momentum=0.9),
    "nesterov": lambda: SGD(momentum=0.9, nesterov=True),
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}


def make_optimizer(name: str, weight_decay: float = 0.0, decayed: int | None = None) -> Optimizer:
    """The optimizer of that name; only `adamw` takes a weight decay.

    Args:
        name: one of OPTIMIZERS.
        weight_decay: decoupled.
        decayed: how many of the first weights decay; None for all.

    Raises:
        ValueError: for an unknown name, or a decay that the optimizer does not do.
    """
    if name not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer {name!r}; one of {', '.join(OPTIMIZERS)}")
    if name == "adamw":
        return AdamW(weight_decay=weight_decay, decayed=decayed)
    if weight_decay:
        raise ValueError(f'{name} takes no weight_decay; "adamw" does')
    return OPTIMIZERS[name]()
