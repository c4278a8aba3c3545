"""Numerically stable functions: sigmoid, softplus, softmax and logit."""

from __future__ import annotations

import numpy as np

from model.array_types import Floats, constant
from model.nn.execution.array_ops import EAGER, ArrayOps, row_maximum

SMALL_SIZE = 64
"""Number of elements below which one call of a slow NumPy function is faster than several calls of fast functions."""

ZERO = np.zeros((), np.float32)
"""0-d zero: an operation with a float32 or float64 array keeps the dtype of the array."""


def sigmoid(z: Floats, out: Floats | None = None) -> Floats:
    """Compute 1 / (1 + exp(-z)) without overflow; same shape and dtype as `z`."""
    if z.size < SMALL_SIZE:
        return np.exp(np.negative(np.logaddexp(ZERO, np.negative(z)), out), out)
    # Where exp overflows, 1 / infinity is the correct limit.
    with np.errstate(over="ignore"):
        e = np.exp(np.negative(z, out), out)
    return np.reciprocal(np.add(e, constant(1.0, (), z.dtype)), out)


def softplus(z: Floats) -> Floats:
    """Compute log(1 + exp(z)) without overflow; same shape and dtype as `z`."""
    if z.size < SMALL_SIZE:
        return np.logaddexp(constant(0.0, (), z.dtype), z)
    e = np.abs(z)
    np.exp(np.negative(e, e), e)
    np.log1p(e, e)
    return np.add(e, np.maximum(z, constant(0.0, (), z.dtype)), e)


def softmax(z: Floats) -> Floats:
    """Compute exp(z) / sum(exp(z)) for each row of `z` (rows, n) without overflow; same shape and dtype as `z`."""
    return compute_softmax(z, EAGER)


def compute_softmax(z: Floats, ops: ArrayOps) -> Floats:
    """Compute `softmax` with `ops` as executor for all array calls."""
    a = ops(np.subtract, z, ops(row_maximum, z))
    ops(np.exp, a, out=a)
    # A BLAS product with a vector of ones sums a short axis five times as fast as NumPy's reduction.
    total = ops(a.dot, constant(1.0, (z.shape[-1], 1), z.dtype))
    return ops(np.divide, a, total, out=a)


def logit(p: Floats, floor: float = 1e-6) -> Floats:
    """Compute log(p / (1 - p)) for probabilities `p`, which are clipped to [floor, 1 - floor]."""
    p = np.clip(p, floor, 1 - floor)
    return np.asarray(np.log(p) - np.log1p(-p))
