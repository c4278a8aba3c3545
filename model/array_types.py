"""Array types: aliases for annotations, aligned, constant and stacked arrays, median, distinct values."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
"""Floating-point array of any shape; the docstring of a function states the shape and dtype of its result."""

Integers = npt.NDArray[np.integer[Any]]

Bools = npt.NDArray[np.bool_]

Array = TypeVar("Array", Floats, Integers, Bools)

CACHE_LINE_BYTES = 64


def aligned_zeros(size: int, dtype: npt.DTypeLike) -> Floats:
    """Return a zero-filled array (size,) that starts at a cache-line boundary.

    SIMD loads that cross a cache line slow an optimizer step down by 10 %.
    """
    dtype = np.dtype(dtype)
    memory = np.zeros(size * dtype.itemsize + CACHE_LINE_BYTES, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE_BYTES
    return memory[start : start + size * dtype.itemsize].view(dtype)


@lru_cache(maxsize=32)
def constant(value: float, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Floats:
    """Return a read-only array filled with `value`; equal arguments return the same array.

    NumPy ufuncs run several times faster on two arrays of equal shape than on an array and a Python number, and
    faster on a 0-d array (shape ()) than on a Python number.
    """
    array = np.full(shape, value, dtype)
    array.setflags(write=False)
    return array


def median(values: Floats) -> float:
    """Return the median of values (n,), n > 0, none NaN.

    np.median would import numpy.ma, which occupies a megabyte of the daemon.
    """
    middle = len(values) // 2
    lower = middle if len(values) % 2 else middle - 1
    ordered = np.partition(values, (lower, middle))
    return float((ordered[lower] + ordered[middle]) / 2)


def distinct(values: Floats) -> Floats:
    """Return the distinct values (n,), sorted. Without an index, np.unique would import numpy.ma."""
    return np.unique(values, return_index=True)[0]


def stacked(arrays: Sequence[Array]) -> Array:
    """Return equally shaped arrays along a new first axis; a view of a single one, as `np.stack` is slower."""
    result: Array = arrays[0][None] if len(arrays) == 1 else np.stack(arrays)
    return result
