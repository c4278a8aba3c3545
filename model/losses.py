"""Losses fused with the output they belong to.

Fusing is not only faster: the derivative of the pair is `a - y`, which does not vanish where a sigmoid
saturates on the wrong side, and no logarithm of zero can occur.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.arrays import Floats


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + exp(-z)), without overflow for any finite z; same shape and dtype."""
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1, e) / (1 + e), dtype=z.dtype)


def logit(p: Floats, floor: float = 1e-6) -> Floats:
    """log(p / (1 - p)), with p kept `floor` away from 0 and 1."""
    p = np.clip(p, floor, 1 - floor)
    return np.asarray(np.log(p) - np.log1p(-p))


@dataclass(frozen=True)
class BCEWithLogits:
    """Mean binary cross-entropy of sigmoid(z) over the labels that are known.

    L = max(z, 0) - z y + log(1 + exp(-|z|)); dL/dz = (sigmoid(z) - y) / known. An unknown label is NaN and
    neither counts nor passes a gradient.
    """

    def __call__(self, z: Floats, y: Floats) -> tuple[float, Floats]:
        """Logits and labels, both (rows, outputs), to (loss, dL/dz)."""
        known = ~np.isnan(y)
        count = max(1, int(known.sum()))
        y = np.where(known, y, 0).astype(z.dtype)
        terms = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
        loss = float((terms * known).sum(dtype=np.float64)) / count
        return loss, ((sigmoid(z) - y) * known / z.dtype.type(count)).astype(z.dtype)
