"""Baselines of exhausted capacity: the predictions that operators use today, each 0 or 1."""

from __future__ import annotations

import numpy as np

from model.capacity.tasks import CapacityTask
from model.capacity.usage_grid import UsageGrid

PREDICT_LINEAR, PERSISTENCE, BASE_RATE = "predict_linear", "persistence", "base_rate"
"""Names of the baselines in records, metrics and reports."""

PRIOR_RATE = 0.01
"""Base rate before any outcome is known."""

PRIOR_OUTCOMES = 288.0
"""Number of outcomes at which their rate and PRIOR_RATE have equal weight."""


def line_passes(grid: UsageGrid, task: CapacityTask, limit: float) -> float:
    """Return 1 if the least-squares line reaches the limit at the end of the horizon, else 0; as `predict_linear`.

    Args:
        grid: use of the resource; its last value is known.
        task: prediction task with the window and the horizon.
        limit: use to reach.
    """
    values = grid.values[-grid.steps(task.line) - 1 :]
    known = ~np.isnan(values)
    if known.sum() < 2:
        return 0.0
    times = (np.arange(len(values)) - len(values) + 1)[known] * grid.step
    centred = times - times.mean()
    slope = float(centred @ values[known]) / float(centred @ centred)
    end = float(values[known].mean()) + slope * (task.horizon - float(times.mean()))
    return float(end >= limit)


def persistence_passes(grid: UsageGrid, task: CapacityTask, limit: float) -> float:
    """Return 1 if the growth within the last horizon, repeated from now on, reaches the limit; else 0."""
    steps = grid.steps(task.horizon)
    before = grid.values[-steps - 1 : -steps]
    peaks = grid.peaks[-steps:]
    if not len(before) or np.isnan(before[0]):
        return 0.0
    growth = float(np.max(peaks[~np.isnan(peaks)])) - float(before[0])
    return float(float(grid.values[-1]) + growth >= limit)


def base_rate(outcomes: int, events: int) -> float:
    """Return the rate of events among known outcomes, shrunk towards PRIOR_RATE."""
    return (events + PRIOR_OUTCOMES * PRIOR_RATE) / (outcomes + PRIOR_OUTCOMES)
