"""Array calls written down once and made again at every step of a training.

A step does the same arithmetic on the same memory each time. On small networks deciding what to call takes longer
than the calls, so the first step writes them down, with the arrays it made, and the following ones only repeat them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from model.array_types import Floats

Run = Callable[..., Floats]
"""How a layer calls an array function: `call`, or a tape that also writes it down."""


def call(function: Callable[..., Floats], *args: Any) -> Floats:
    """Only calls."""
    return function(*args)


class CompiledStep:
    """Calls that were made, in order, with the memory of their results.

    A function that is called through a tape takes the array for its result as its next positional argument, and
    gives it back: like NumPy's, and those below.
    """

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., Floats], tuple[Any, ...]]] = []

    def __call__(self, function: Callable[..., Floats], *args: Any) -> Floats:
        """Calls, and writes down so that the repetition overwrites the result."""
        result = function(*args)
        if not any(result is argument for argument in args):
            args = (*args, result)
        self._calls.append((function, args))
        return result

    def replay(self) -> None:
        """Makes all calls again."""
        for function, args in self._calls:
            function(*args)


def maximum(a: Floats, b: Floats, out: Floats | None = None) -> Floats:
    """`np.maximum`, which takes its output by name only."""
    found: Floats = np.maximum(a, b, out=out)
    return found


def minimum(a: Floats, b: Floats, out: Floats | None = None) -> Floats:
    """`np.minimum`, likewise."""
    found: Floats = np.minimum(a, b, out=out)
    return found


def transposed(a: Floats, out: Floats | None = None) -> Floats:
    """(n, m) to (m, n), in memory of its own."""
    if out is None:
        return a.T.copy(order="C")
    np.copyto(out, a.T)
    return out


def largest_in_row(z: Floats, out: Floats | None = None) -> Floats:
    """(rows, n) to (rows, 1)."""
    if out is None:
        out = np.empty((len(z), 1), z.dtype)
    # down the columns of a copy: along short rows NumPy takes a loop for each
    np.maximum.reduce(np.ascontiguousarray(z.T), axis=0, out=out[:, 0])
    return out
