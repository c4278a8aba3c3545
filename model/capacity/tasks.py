"""Capacity tasks: limit, horizon and history for each kind of resource."""

from __future__ import annotations

from dataclasses import dataclass

from model.units import DAY, HOUR, MINUTE

STEP = 5 * MINUTE
"""Seconds between two values of the use of a resource."""


@dataclass(frozen=True)
class CapacityTask:
    """Prediction task for one kind of resource.

    Attributes:
        kind: name of the kind.
        horizon: seconds within which the limit may be passed.
        history: seconds of history that a fit uses.
        line: window of the baseline `predict_linear` in seconds.
        min_history: seconds of history below which nothing is predicted.
    """

    kind: str
    horizon: float
    history: float
    line: float
    min_history: float


FILESYSTEM = CapacityTask("filesystem", horizon=DAY, history=14 * DAY, line=6 * HOUR, min_history=2 * HOUR)
MEMORY = CapacityTask("memory", horizon=HOUR, history=14 * DAY, line=30 * MINUTE, min_history=30 * MINUTE)

TASKS = {task.kind: task for task in (FILESYSTEM, MEMORY)}
"""All tasks by kind."""

LIMIT = 0.95
"""Default of the use, as a ratio of the size, from which a resource counts as exhausted."""

PATH_HORIZONS = (HOUR, 6 * HOUR, DAY)
"""Horizons in seconds whose median excursions give the expected time at which a file system is full."""
