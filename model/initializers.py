"""Starting weights.

A layer that starts too large or too small passes its error on multiplied or faded; these keep the variance of
what flows through it constant.
"""

from __future__ import annotations

import math

import numpy as np

from model.arrays import Floats


def he_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Normal weights of variance 2 / fan_in, for layers followed by a ReLU (He et al. 2015, eq. 10).

    Returns:
        (fan_in, fan_out) float64.
    """
    return rng.normal(0.0, math.sqrt(2.0 / fan_in), (fan_in, fan_out))


def xavier_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Floats:
    """Normal weights of variance 2 / (fan_in + fan_out), for linear outputs (Glorot and Bengio 2010, eq. 12).

    Returns:
        (fan_in, fan_out) float64.
    """
    return rng.normal(0.0, math.sqrt(2.0 / (fan_in + fan_out)), (fan_in, fan_out))
