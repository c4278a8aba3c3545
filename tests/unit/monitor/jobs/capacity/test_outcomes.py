"""Outcomes of capacity predictions."""

import numpy as np
import pytest

from model.capacity.tasks import MEMORY
from monitor.jobs.capacity.outcomes import outcomes_of, store_outcomes
from monitor.stores import open_stores
from storage import OUTCOME_UNKNOWN, CapacityRow

pytestmark = pytest.mark.unit


def test_outcomes_of_passed_missed_and_unknown_limits():
    times = np.arange(1, 40) * 300.0
    peaks = np.where(times == 3000.0, 0.97, 0.5)
    predictions = np.array([[300.0, 0.95], [3000.0, 0.95], [300.0, 0.98], [11_000.0, 0.95]])
    assert outcomes_of(predictions, times, peaks, 3600.0) == [1, 0, 0, OUTCOME_UNKNOWN]


def test_store_outcomes_waits_for_the_horizon():
    with open_stores("sqlite://") as stores:
        stores.capacity.add(
            [CapacityRow(1, 300.0 * i, 0.5, 0.96 if i == 5 else 0.5, 1.0, None, 0.95, 0.1) for i in range(1, 30)]
        )
        assert store_outcomes(stores, 1, MEMORY, 3000.0) == 0
        assert store_outcomes(stores, 1, MEMORY, 6000.0) == 8
        assert store_outcomes(stores, 1, MEMORY, 6000.0) == 0
        assert len(stores.capacity.pending(1, 1e9)) == 21
