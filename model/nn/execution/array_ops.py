"""Array operations: executor interface, and functions that take their output array as last argument."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model.array_types import Floats


class ArrayOps:
    """Executor that calls array functions immediately; the subclass `CallRecorder` also records the calls.

    Layers and losses make the array calls of a training step through an executor. The compiled step thus needs no
    second implementation of the formulas.
    """

    def __call__(self, function: Callable[..., Floats], *args: object, out: Floats | None = None) -> Floats:
        """Call `function(*args, out)` and return its result.

        Args:
            function: NumPy ufunc, or a function with the same convention: its last positional argument is the array
                that it writes to and returns; None allocates a new array.
            args: positional arguments before `out`.
            out: array for the result; None allocates a new array.
        """
        return function(*args, out)


EAGER = ArrayOps()
"""Executor for calls outside a compiled step."""


def maximum(a: Floats, b: Floats, out: Floats | None = None) -> Floats:
    """Compute `np.maximum(a, b)`; NumPy deprecates a positional output array in `np.maximum` itself."""
    largest: Floats = np.maximum(a, b, out=out)
    return largest


def minimum(a: Floats, b: Floats, out: Floats | None = None) -> Floats:
    """Compute `np.minimum(a, b)`; NumPy deprecates a positional output array in `np.minimum` itself."""
    smallest: Floats = np.minimum(a, b, out=out)
    return smallest


def transposed_copy(a: Floats, out: Floats | None = None) -> Floats:
    """Return the transpose of `a` (n, m) as a contiguous copy (m, n)."""
    if out is None:
        return a.T.copy(order="C")
    np.copyto(out, a.T)
    return out


def row_maximum(z: Floats, out: Floats | None = None) -> Floats:
    """Return the maximum (rows, 1) of each row of `z` (rows, n)."""
    if out is None:
        out = np.empty((len(z), 1), z.dtype)
    # Along short rows NumPy runs one inner loop per row; along the columns of a transposed copy it vectorizes.
    np.maximum.reduce(np.ascontiguousarray(z.T), axis=0, out=out[:, 0])
    return out
