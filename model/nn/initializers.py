"""Initial weights: He, Xavier, small normal and zero initialisation.

An initializer returns float64 weights (fan_in, fan_out). He and Xavier initialisation keep the variance of
activations and gradients constant from layer to layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from model.array_types import Floats

# A string: evaluating the name would import numpy.random into a daemon that never uses it.
Initializer = Callable[[int, int, "np.random.Generator"], Floats]
"""Function of fan_in, fan_out and random generator that returns initial weights (fan_in, fan_out)."""


def he_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Draw from a normal distribution of variance 2 / fan_in, for layers before a ReLU (He et al. 2015, eq. 10)."""
    return rng.normal(0.0, math.sqrt(2.0 / fan_in), (fan_in, fan_out))


def he_uniform(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Draw from a uniform distribution of variance 2 / fan_in: within sqrt(6 / fan_in)."""
    limit = math.sqrt(6.0 / fan_in)
    return rng.uniform(-limit, limit, (fan_in, fan_out))


def xavier_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Draw from a normal distribution of variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010, eq. 12).

    Suits layers before tanh or sigmoid, and linear output layers.
    """
    return rng.normal(0.0, math.sqrt(2.0 / (fan_in + fan_out)), (fan_in, fan_out))


def xavier_uniform(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Draw uniformly within sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16)."""
    limit = math.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_in, fan_out))


def small_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Draw from a normal distribution of deviation 0.01; suits shallow networks, signals vanish in deep ones."""
    return rng.normal(0.0, 0.01, (fan_in, fan_out))


def zeros(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:  # noqa: ARG001
    """Return zeros; suits output layers only, since hidden units with equal weights stay equal."""
    return np.zeros((fan_in, fan_out))


INITIALIZERS: dict[str, Initializer] = {
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "xavier_normal": xavier_normal,
    "xavier_uniform": xavier_uniform,
    "small_normal": small_normal,
    "zeros": zeros,
}
"""Initializers by name."""
