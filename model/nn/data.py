"""Rows to fit on or to validate with, and what cannot be learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.errors import InputError
from model.nn.losses import Loss, Targets
from model.nn.network import Network


@dataclass(frozen=True)
class Examples:
    """Inputs (rows, features) without NaN, labels (rows, outputs) with NaN for unknown."""

    x: Floats
    y: Floats


def checked(network: Network, loss: Loss, part: Examples, name: str) -> tuple[Floats, Targets]:
    """Inputs of the network's dtype and the loss's targets."""
    x, y, dtype = np.asarray(part.x), np.asarray(part.y), network.flat.dtype
    if x.dtype.kind not in "biuf" or y.dtype.kind not in "biuf":
        raise InputError(f"{name} inputs of {x.dtype} and labels of {y.dtype} must be real numbers")
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not len(x):
        raise InputError(f"{name} inputs {x.shape} and labels {y.shape} must be two tables of the same rows")
    try:
        outputs = network.layer_widths(x.shape[1])[-1]
    except ValueError as error:
        raise InputError(f"{name} inputs {x.shape} do not fit the network: {error}") from error
    if outputs != y.shape[1]:
        raise InputError(f"{name} labels {y.shape} do not fit the network's {outputs} outputs")
    with np.errstate(over="ignore"):
        x = x.astype(dtype, copy=False)
    # the extremes show a NaN and an infinity without a table of truths as long as the data
    if not np.isfinite([x.min(), x.max()]).all():
        row, column = np.argwhere(~np.isfinite(x))[0]
        raise InputError(f"{name} input {x[row, column]} (row {row}, column {column}) is not finite in {dtype}")
    try:
        targets = loss.targets(y, dtype)
    except InputError as error:
        raise InputError(f"{name} {error}") from error
    unknown = np.flatnonzero(np.isnan(y).all(axis=0))
    if len(unknown):
        raise InputError(f"{name} labels: not one is known in output {unknown[0]}")
    return x, targets
