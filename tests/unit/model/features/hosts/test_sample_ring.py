"""Sample ring: narrow sums that overflow, and skipped slots."""

import numpy as np
import pytest

from model.features.hosts.sample_ring import SampleRing

pytestmark = pytest.mark.unit


def fill(ring, first, count, index):
    for slot in range(first, first + count):
        ring.open_slot(slot)
        ring.append(np.array([index]), np.array([0.0]), np.array([60.0]), np.ones(1, bool))


def test_sums_are_exact_after_the_counters_overflow():
    ring = SampleRing(1, 60.0, (300.0, 3600.0), 1.25, 3600.0)
    fill(ring, 0, 40_000, 1.0)
    sums = ring.window_sums()
    assert sums["known"][:, 0].tolist() == [5, 60]
    assert sums["covered"][:, 0].tolist() == [300_000, 3_600_000]
    assert sums["index"][:, 0].tolist() == [5 * 2**20, 60 * 2**20]
    assert sums["square"][:, 0].tolist() == [5 * 2**40, 60 * 2**40]


def test_skipped_slots_have_no_samples():
    ring = SampleRing(1, 60.0, (300.0, 3600.0), 1.25, 3600.0)
    fill(ring, 0, 10, 0.5)
    fill(ring, 13, 1, 0.25)
    assert ring.window_sums()["known"][:, 0].tolist() == [2, 11]
    highest, lowest = ring.extremes()
    assert (highest[0, 0], lowest[0, 0]) == (0.5, 0.25)
    assert ring.outcomes(6)[:, 0].tolist() == [0, 0, -1, -1, -1, 0]
