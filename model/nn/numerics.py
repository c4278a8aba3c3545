"""Array operations: executor interface, and numerically stable functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model.array_types import Floats, Integers, constant
from model.errors import InputError, InputProblem

SMALL_SIZE = 64
"""Number of elements below which one slow NumPy call is faster than several fast ones."""

ZERO = np.zeros((), np.float32)
"""0-d zero; by NumPy's promotion rules the result keeps the dtype of the other operand."""


class ArrayOps:
    """Executor of array functions; this one runs them at once, that of `model.nn.compiled_step` also records them.

    Layers and losses make the array calls of a training step through an instance of this class, so that one
    implementation of the algebra serves single calls and the compiled step.
    """

    def __call__(self, function: Callable[..., Floats], *args: object, out: Floats | None = None) -> Floats:
        """Call `function(*args, out)` and return its result.

        Args:
            function: takes the array for its result as its last positional argument, None for a new array, and
                returns that array, as NumPy functions do.
            args: positional arguments.
            out: array for the result; None allocates one.
        """
        return function(*args, out)


EAGER = ArrayOps()


def maximum(a: Floats, b: Floats, out: Floats | None = None) -> Floats:
    """Compute `np.maximum`, which itself accepts its output array as keyword only."""
    largest: Floats = np.maximum(a, b, out=out)
    return largest


def minimum(a: Floats, b: Floats, out: Floats | None = None) -> Floats:
    """Compute `np.minimum`, which itself accepts its output array as keyword only."""
    smallest: Floats = np.minimum(a, b, out=out)
    return smallest


def transposed_copy(a: Floats, out: Floats | None = None) -> Floats:
    """Return the transpose of (n, m) as a contiguous copy (m, n)."""
    if out is None:
        return a.T.copy(order="C")
    np.copyto(out, a.T)
    return out


def row_maximum(z: Floats, out: Floats | None = None) -> Floats:
    """Return the maximum of each row: (rows, n) to (rows, 1)."""
    if out is None:
        out = np.empty((len(z), 1), z.dtype)
    # Along short rows NumPy runs one inner loop per row; along the columns of a transposed copy it vectorises.
    np.maximum.reduce(np.ascontiguousarray(z.T), axis=0, out=out[:, 0])
    return out


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
    """Compute exp(z) over its sum along each row of (rows, n) without overflow; same shape and dtype as `z`."""
    return compute_softmax(z, EAGER)


def compute_softmax(z: Floats, ops: ArrayOps) -> Floats:
    """Compute `softmax` by calls through `ops`."""
    a = ops(np.subtract, z, ops(row_maximum, z))
    ops(np.exp, a, out=a)
    # BLAS sums a short axis five times as fast, as a product with ones, as NumPy's reduction.
    total = ops(a.dot, constant(1.0, (z.shape[-1], 1), z.dtype))
    return ops(np.divide, a, total, out=a)


def logit(p: Floats, floor: float = 1e-6) -> Floats:
    """Compute log(p / (1 - p)) of probabilities clipped to [floor, 1 - floor]."""
    p = np.clip(p, floor, 1 - floor)
    return np.asarray(np.log(p) - np.log1p(-p))


def encode_classes(labels: Integers, classes: int) -> Floats:
    """Encode class numbers (rows,) as one-hot vectors (rows, classes) of float32.

    Raises:
        InputError: a label is not an integer from 0 to classes - 1.
    """
    labels = np.asarray(labels)
    invalid = (labels < 0) | (labels >= classes) | (labels != np.floor(labels))
    if invalid.any():
        row = int(np.argmax(invalid))
        message = f"label {labels[row]} (row {row}) is not one of the {classes} classes 0 to {classes - 1}"
        raise InputError(message, InputProblem.LABEL)
    return np.eye(classes, dtype=np.float32)[labels.astype(np.intp)]
