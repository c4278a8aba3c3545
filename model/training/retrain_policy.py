"""When a model is renewed."""

from __future__ import annotations

import math

SOONEST = 1800.0
"""Seconds between two trainings at least, however young the model."""


def retrain_delay(learned: float, interval: float | None) -> float:
    """Seconds after which a model is renewed: when its history has grown by a quarter, and after `interval` at last.

    Args:
        learned: seconds of history that it has learned from.
        interval: seconds; None never renews.
    """
    return math.inf if interval is None else min(interval, max(learned / 4, SOONEST))
