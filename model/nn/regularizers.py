"""Regularisation: weight penalties and gradient clipping."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats


@dataclass(frozen=True)
class Penalty:
    """Weight penalty l1 sum |w| + l2 / 2 sum w^2 with derivative l1 sign(w) + l2 w; biases are not penalised.

    The weight decay of `AdamW` is different: it is decoupled from the optimizer's moments.
    """

    l1: float = 0.0
    l2: float = 0.0

    def value(self, weights: Floats) -> float:
        """Return the penalty of weights of any shape."""
        value = 0.0
        if self.l1:
            value += self.l1 * float(np.abs(weights).sum(dtype=np.float64))
        if self.l2:
            value += self.l2 / 2 * float(np.square(weights, dtype=np.float64).sum())
        return value

    def add_gradient(self, weights: Floats, gradient: Floats) -> None:
        """Add the derivative of the penalty to `gradient`, which has the shape of `weights`."""
        if self.l1:
            gradient += np.sign(weights) * weights.dtype.type(self.l1)
        if self.l2:
            gradient += weights * weights.dtype.type(self.l2)


def clip_norm(gradient: Floats, norm: float, max_norm: float) -> bool:
    """Scale the gradient in place to the L2 norm `max_norm` if it exceeds it (Pascanu et al. 2013).

    Args:
        gradient: any shape.
        norm: its L2 norm.
        max_norm: 0 for no limit.

    Returns:
        True if the gradient was scaled.
    """
    if not max_norm or norm <= max_norm:
        return False
    np.multiply(gradient, max_norm / norm, gradient)
    return True


def clip_value(gradient: Floats, max_value: float) -> bool:
    """Clip each element of the gradient in place to [-max_value, max_value]; a `max_value` of 0 disables it.

    Returns:
        True if any element was clipped.
    """
    if not max_value or max(float(gradient.max()), -float(gradient.min())) <= max_value:
        return False
    np.clip(gradient, -max_value, max_value, out=gradient)
    return True


def clip_gradient(gradient: Floats, norm: float, max_norm: float, max_value: float) -> bool:
    """Clip the gradient in place by value, then by norm.

    Args:
        gradient: any shape.
        norm: its L2 norm.
        max_norm: largest L2 norm, 0 for no limit.
        max_value: largest element, 0 for no limit.

    Returns:
        True if the gradient was changed.
    """
    if clip_value(gradient, max_value):
        clip_norm(gradient, math.sqrt(gradient.dot(gradient)), max_norm)
        return True
    return clip_norm(gradient, norm, max_norm)
