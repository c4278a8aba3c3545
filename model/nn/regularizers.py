"""Regularization: penalties on the weights, and gradient clipping."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats


@dataclass(frozen=True)
class Penalty:
    """Elastic-net penalty on the weights: l1 * sum(|w|) + l2 / 2 * sum(w^2).

    The gradient of the penalty enters the moments of the optimizer, unlike the weight decay of `AdamW`. Reported
    losses exclude the penalty.
    """

    l1: float = 0.0
    l2: float = 0.0

    def value(self, weights: Floats) -> float:
        """Return the penalty for weights of any shape."""
        value = 0.0
        if self.l1:
            value += self.l1 * float(np.abs(weights).sum(dtype=np.float64))
        if self.l2:
            value += self.l2 / 2 * float(np.square(weights, dtype=np.float64).sum())
        return value

    def add_gradient(self, weights: Floats, gradient: Floats) -> None:
        """Add the derivative l1 * sign(w) + l2 * w to `gradient`, which has the same shape as `weights`."""
        if self.l1:
            gradient += np.sign(weights) * weights.dtype.type(self.l1)
        if self.l2:
            gradient += weights * weights.dtype.type(self.l2)


def clip_norm(gradient: Floats, norm: float, max_norm: float) -> bool:
    """Clip the gradient by norm, in place (Pascanu et al. 2013).

    Args:
        gradient: array of any shape.
        norm: L2 norm of the gradient.
        max_norm: largest L2 norm; 0 disables clipping.

    Returns:
        True if the gradient was clipped.
    """
    if not max_norm or norm <= max_norm:
        return False
    np.multiply(gradient, max_norm / norm, gradient)
    return True


def clip_value(gradient: Floats, max_value: float) -> bool:
    """Clip the gradient by value, in place.

    Args:
        gradient: array of any shape.
        max_value: largest absolute value of an element; 0 disables clipping.

    Returns:
        True if an element was clipped.
    """
    if not max_value or max(float(gradient.max()), -float(gradient.min())) <= max_value:
        return False
    np.clip(gradient, -max_value, max_value, out=gradient)
    return True


def clip_gradient(gradient: Floats, norm: float, max_norm: float, max_value: float) -> bool:
    """Clip the gradient by value, then by norm, in place.

    Args:
        gradient: array of any shape.
        norm: L2 norm of the gradient before clipping.
        max_norm: see `clip_norm`.
        max_value: see `clip_value`.

    Returns:
        True if the gradient was clipped.
    """
    if clip_value(gradient, max_value):
        elements = gradient.ravel()
        clip_norm(gradient, math.sqrt(elements.dot(elements)), max_norm)
        return True
    return clip_norm(gradient, norm, max_norm)
