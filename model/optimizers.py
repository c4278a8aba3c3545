"""Optimizers over one flat parameter vector.

All parameters of a network live in one array, so a step is a handful of vector operations whatever the depth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from model.arrays import Floats


class Optimizer(Protocol):
    """Turns a gradient into the next step."""

    def update(self, weights: Floats, grad: Floats, rate: float) -> Floats:
        """The step to add to `weights`; (size,) like both. Remembers what the next step needs."""
        ...


@dataclass
class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1); a weight decay is decoupled (Loshchilov and Hutter 2019).

    Raises nothing; a non-finite gradient must be kept away from it, for its moments would never recover.
    """

    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    _steps: int = 0
    _mean: Floats = field(default_factory=lambda: np.zeros(0))
    _square: Floats = field(default_factory=lambda: np.zeros(0))

    def update(self, weights: Floats, grad: Floats, rate: float) -> Floats:
        """The step to add to `weights`, (size,)."""
        if self._steps == 0:
            self._mean, self._square = np.zeros_like(grad), np.zeros_like(grad)
        self._steps += 1
        self._mean += (1 - self.beta1) * (grad - self._mean)
        self._square += (1 - self.beta2) * (grad * grad - self._square)
        unbiased = math.sqrt(1 - self.beta2**self._steps) / (1 - self.beta1**self._steps)
        # epsilon joins the bias-corrected root, as in the paper's algorithm and not its "efficient" variant
        scaled_epsilon = self.epsilon * math.sqrt(1 - self.beta2**self._steps)
        step = self._mean * (-rate * unbiased) / (np.sqrt(self._square) + scaled_epsilon)
        if self.weight_decay:
            step -= rate * self.weight_decay * weights
        return np.asarray(step)


OPTIMIZERS: tuple[str, ...] = ("adam", "adamw")


def make_optimizer(name: str, weight_decay: float) -> Optimizer:
    """The optimizer of that name; `adam` takes no weight decay.

    Raises:
        ValueError: for an unknown name, or a decay that the optimizer does not do.
    """
    if name == "adamw":
        return Adam(weight_decay=weight_decay)
    if name == "adam":
        if weight_decay:
            raise ValueError('weight_decay needs the optimizer "adamw"')
        return Adam()
    raise ValueError(f"unknown optimizer {name!r}")
