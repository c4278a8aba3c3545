"""Functions between numbers and probabilities, right for any number; and class numbers as labels."""

from __future__ import annotations

import numpy as np

from model.array_types import FEW, ZERO, Floats, Integers, constant
from model.errors import InputError
from model.nn.compiled_step import Run, call, largest_in_row


def sigmoid(z: Floats, out: Floats | None = None) -> Floats:
    """1 / (1 + exp(-z)), right for any z; same shape and dtype."""
    if z.size < FEW:
        return np.exp(np.negative(np.logaddexp(ZERO, np.negative(z)), out), out)
    # where exp overflows, 1 / infinity is the right limit
    with np.errstate(over="ignore"):
        e = np.exp(np.negative(z, out), out)
    return np.reciprocal(np.add(e, constant(1.0, (), z.dtype)), out)


def softplus(z: Floats) -> Floats:
    """log(1 + exp(z)), right for any z."""
    if z.size < FEW:
        return np.logaddexp(constant(0.0, (), z.dtype), z)
    e = np.abs(z)
    np.exp(np.negative(e, e), e)
    np.log1p(e, e)
    return np.add(e, np.maximum(z, constant(0.0, (), z.dtype)), e)


def softmax(z: Floats, run: Run = call) -> Floats:
    """(rows, n): exp(z) over its sum along each row, right for any z; same shape and dtype."""
    a = run(np.subtract, z, run(largest_in_row, z))
    run(np.exp, a, a)
    # the sum along a short axis as a product: BLAS adds five times as fast
    total = run(a.dot, constant(1.0, (z.shape[-1], 1), z.dtype))
    return run(np.divide, a, total, a)


def logit(p: Floats, floor: float = 1e-6) -> Floats:
    """log(p / (1 - p)), with p kept `floor` away from 0 and 1."""
    p = np.clip(p, floor, 1 - floor)
    return np.asarray(np.log(p) - np.log1p(-p))


def one_hot(labels: Integers, classes: int) -> Floats:
    """Class numbers (rows,) to (rows, classes) float32.

    Raises:
        InputError: a label is not 0 to classes - 1.
    """
    labels = np.asarray(labels)
    wrong = (labels < 0) | (labels >= classes) | (labels != np.floor(labels))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"label {labels[row]} (row {row}) is not one of the {classes} classes 0 to {classes - 1}")
    return np.eye(classes, dtype=np.float32)[labels.astype(np.intp)]
