"""Outcomes of capacity predictions: limits that were passed within the horizon, from the stored rows."""

from __future__ import annotations

import numpy as np

from model.array_types import Floats
from model.capacity.tasks import STEP, CapacityTask
from model.capacity.usage_grid import MIN_COVERAGE
from monitor.stores import Stores
from storage import OUTCOME_UNKNOWN

MAX_PENDING = 2 * 86400.0
"""Seconds of predictions whose outcomes are determined at once, after a long stop of the daemon."""


def store_outcomes(stores: Stores, resource_id: int, task: CapacityTask, now: float) -> int:
    """Determine and store the outcomes of the predictions whose horizon has passed.

    Args:
        stores: repositories.
        resource_id: ID of the resource.
        task: prediction task of the resource.
        now: seconds since the epoch.

    Returns:
        The number of outcomes stored.

    Raises:
        StorageError: the database cannot be read or written.
    """
    pending = stores.capacity.pending(resource_id, now - task.horizon)
    if not len(pending):
        return 0
    pending = pending[pending[:, 0] < pending[0, 0] + MAX_PENDING]
    rows = stores.capacity.usage(resource_id, float(pending[0, 0]), float(pending[-1, 0]) + task.horizon)
    outcomes = outcomes_of(pending, rows[:, 0], rows[:, 2], task.horizon)
    stores.capacity.set_outcomes(resource_id, dict(zip(pending[:, 0].tolist(), outcomes, strict=True)))
    return len(outcomes)


def outcomes_of(predictions: Floats, times: Floats, peaks: Floats, horizon: float) -> list[int]:
    """Return the outcome of each prediction: 1 for a passed limit, 0, or OUTCOME_UNKNOWN if rows are missing.

    Args:
        predictions: (rows, 2) time and limit.
        times: (n,) times of the rows of the resource, increasing.
        peaks: (n,) largest use before each row.
        horizon: seconds.
    """
    first = np.searchsorted(times, predictions[:, 0], side="right")
    last = np.searchsorted(times, predictions[:, 0] + horizon, side="right")
    needed = MIN_COVERAGE * horizon / STEP
    outcomes = []
    for start, end, limit in zip(first.tolist(), last.tolist(), predictions[:, 1].tolist(), strict=True):
        if end > start and float(peaks[start:end].max()) >= limit:
            outcomes.append(1)
        else:
            outcomes.append(0 if end - start >= needed else OUTCOME_UNKNOWN)
    return outcomes
