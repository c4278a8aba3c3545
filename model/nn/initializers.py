"""Starting weights.

A layer that starts too large or too small passes its error on multiplied or faded; these keep the variance of
what flows through it constant. Each is (fan_in, fan_out, rng) to (fan_in, fan_out) float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from model.array_types import Floats

# a string: to look the name up would load all of numpy.random into a daemon that draws nothing
Initializer = Callable[[int, int, "np.random.Generator"], Floats]


def he_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Normal of variance 2 / fan_in, for layers followed by a ReLU (He et al. 2015, eq. 10)."""
    return rng.normal(0.0, math.sqrt(2.0 / fan_in), (fan_in, fan_out))


def he_uniform(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Uniform of the same variance: within sqrt(6 / fan_in)."""
    limit = math.sqrt(6.0 / fan_in)
    return rng.uniform(-limit, limit, (fan_in, fan_out))


def xavier_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Normal of variance 2 / (fan_in + fan_out), for tanh, sigmoid and linear (Glorot and Bengio 2010, eq. 12)."""
    return rng.normal(0.0, math.sqrt(2.0 / (fan_in + fan_out)), (fan_in, fan_out))


def xavier_uniform(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Uniform of the same variance: within sqrt(6 / (fan_in + fan_out)) (eq. 16 there)."""
    limit = math.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_in, fan_out))


def small_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Normal of deviation 0.01 whatever the width: right for shallow networks, fades in deep ones."""
    return rng.normal(0.0, 0.01, (fan_in, fan_out))


def zeros(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:  # noqa: ARG001
    """All zero: for an output layer only, since units that start equal stay equal."""
    return np.zeros((fan_in, fan_out))


INITIALIZERS: dict[str, Initializer] = {
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "xavier_normal": xavier_normal,
    "xavier_uniform": xavier_uniform,
    "small_normal": small_normal,
    "zeros": zeros,
}
