"""Probe values: reproducible random inputs on which loaded models are tested."""

from __future__ import annotations

from random import Random

import numpy as np

from model.array_types import Floats


def normal_probes(rows: int, columns: int) -> Floats:
    """Return standard normal values (rows, columns), the same in every call.

    They come from the standard library: numpy.random would occupy two megabytes of the daemon for this alone.
    """
    gauss = Random(0).gauss  # noqa: S311  not for cryptography
    return np.array([[gauss(0.0, 1.0) for _ in range(columns)] for _ in range(rows)])
