"""The array types of this package, named once, and constants that arithmetic wants as whole arrays."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
"""Any real array; a docstring says which shape and dtype a function gives back."""

Integers = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]


FEW = 64
"""Below so many numbers one slow function beats several fast ones."""

ZERO = np.zeros((), np.float32)
"""Takes on the type of what it meets."""

CACHE_LINE = 64
"""Bytes."""


def aligned_zeros(size: int, dtype: npt.DTypeLike) -> Floats:
    """(size,) zeros that begin on a cache line.

    Wide instructions that read across two lines cost an optimizer's step a tenth of its time.
    """
    dtype = np.dtype(dtype)
    memory = np.zeros(size * dtype.itemsize + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size * dtype.itemsize].view(dtype)


@lru_cache(maxsize=32)
def constant(value: float, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Floats:
    """The same read-only array each time.

    NumPy takes two arrays of one shape several times faster than an array and a number, and a 0-d array (shape ())
    faster than a Python number.
    """
    array = np.full(shape, value, dtype)
    array.setflags(write=False)
    return array
