"""Initial parameters: weight initializers, and output biases from base rates.

An initializer returns float64 weights (fan_in, fan_out). He and Xavier initialization keep the variances of
activations and gradients approximately constant from layer to layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from model.array_types import Floats

if TYPE_CHECKING:
    from model.nn.losses import Loss
    from model.nn.network import Network

# The quotes avoid importing numpy.random into a process that only predicts.
Initializer = Callable[[int, int, "np.random.Generator"], Floats]
"""Function that returns initial weights (fan_in, fan_out) for arguments fan_in, fan_out and random generator."""


def he_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Draw from a normal distribution with variance 2 / fan_in; for layers before a ReLU (He et al. 2015, eq. 10)."""
    return rng.normal(0.0, math.sqrt(2.0 / fan_in), (fan_in, fan_out))


def he_uniform(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Draw from the uniform distribution on [-a, a] with a = sqrt(6 / fan_in), whose variance is 2 / fan_in."""
    limit = math.sqrt(6.0 / fan_in)
    return rng.uniform(-limit, limit, (fan_in, fan_out))


def xavier_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Draw from a normal distribution with variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010, eq. 12).

    For layers before a tanh or sigmoid, and for output layers.
    """
    return rng.normal(0.0, math.sqrt(2.0 / (fan_in + fan_out)), (fan_in, fan_out))


def xavier_uniform(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Draw from the uniform distribution on [-a, a] with a = sqrt(6 / (fan_in + fan_out)).

    Glorot and Bengio 2010, eq. 16.
    """
    limit = math.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_in, fan_out))


def small_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Draw from a normal distribution with standard deviation 0.01.

    This is too small for deep networks, whose activations then vanish.
    """
    return rng.normal(0.0, 0.01, (fan_in, fan_out))


def zeros(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:  # noqa: ARG001
    """Return zeros; for output layers only, because hidden units with equal weights remain equal."""
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


def initialize_output_bias(network: Network, loss: Loss, y: Floats) -> None:
    """Set the output biases so that the untrained network predicts approximately the base rate of each output.

    The network is unchanged if `base_rate_bias` of the loss returns None.

    Args:
        network: network whose last parameter is the bias of its output layer.
        loss: loss function.
        y: training labels (rows, outputs).
    """
    bias = loss.base_rate_bias(y)
    if bias is not None:
        network.parameters()[network.names[-1]][...] = bias
