"""Gradients kept within bounds, in place."""

from __future__ import annotations

import numpy as np

from model.array_types import Floats


def clip_norm(gradient: Floats, norm: float, limit: float) -> bool:
    """Scales the gradient to the L2 norm `limit` if it has more (Pascanu et al. 2013); True if it had.

    Args:
        gradient: any shape.
        norm: its L2 norm.
        limit: 0 for none.
    """
    if not limit or norm <= limit:
        return False
    np.multiply(gradient, limit / norm, gradient)
    return True


def clip_value(gradient: Floats, limit: float) -> bool:
    """Cuts each element to -limit..limit, 0 for no limit; True if any was outside."""
    if not limit or max(float(gradient.max()), -float(gradient.min())) <= limit:
        return False
    np.clip(gradient, -limit, limit, out=gradient)
    return True
