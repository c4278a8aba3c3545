"""Log-odds conversion: sigmoid and logit with bit-identical results for any array size.

The functions in `model.nn.numerics` select an algorithm by the array size, so their results depend on the batch size.
"""

from __future__ import annotations

import numpy as np

from model.array_types import Floats

FLOOR = 1e-6
"""Probabilities are clipped to [FLOOR, 1 - FLOOR] before their log-odds are computed."""


LARGEST_EXPONENT = 709.0
"""Limit of the exponent of exp, which overflows beyond it; the sigmoid is then below 1e-307."""


def sigmoid(z: Floats) -> Floats:
    """Return 1 / (1 + exp(-z)) for log-odds of any shape."""
    exponent = np.minimum(-z, LARGEST_EXPONENT)
    return np.asarray(1.0 / (1.0 + np.exp(np.asarray(exponent, order="C"))))


def logit(p: Floats, floor: float = FLOOR) -> Floats:
    """Return log(p / (1 - p)) for probabilities of any shape, clipped to [floor, 1 - floor]."""
    # Several times faster than `np.clip` for the few values of a live prediction
    clipped = np.asarray(np.minimum(np.maximum(p, floor), 1 - floor), order="C")
    return np.asarray(np.log(clipped) - np.log1p(-clipped))
