"""Bucket ring: statistics of buckets before the open bucket."""

import numpy as np
import pytest

from model.features.hosts.bucket_ring import BucketRing

pytestmark = pytest.mark.unit


def make_ring(loads):
    ring = BucketRing(1, 300.0, 60.0, 1.25)
    for number, load in enumerate(loads):
        ring.open_bucket(number)
        if load is not None:
            grid = np.array([round(load * 2**20)])
            ring.append(grid, np.array([load]), np.array([float(load >= 1)]), np.ones(1, bool))
    ring.open_bucket(len(loads))
    return ring


def test_statistics_ignore_empty_buckets():
    ring = make_ring([0.25, None, 1.0, 0.5])
    assert ring.load(-4, -3)[0] == 0.25
    assert ring.load(-2, -1)[0] == 0.75
    assert ring.max_index(-4, -1)[0] == ring.max_mean(-4, -1)[0] == 1.0
    assert [ring.high(-4, -4)[0], ring.high(-2, -1)[0]] == [0, 1]
    assert np.isnan([ring.load(-3, -3)[0], ring.high(-3, -3)[0], ring.max_index(-3, -3)[0]]).all()


def test_skipped_buckets_are_empty():
    ring = make_ring([1.0])
    ring.open_bucket(5000)
    assert np.isnan(ring.load(-2000, -1)[0])
