"""Pooled model: rows of a host, and the gate against the shipped model."""

import numpy as np
import pytest

from model.forecast.pretrained import PRETRAINED_HORIZONS, input_names
from model.forecast.serialization import bundled_pretrained_model
from model.training.fleet.pooling import PoolComparison, compare_pooled, host_rows
from model.training.fleet.readings import fit_pretrained

pytestmark = pytest.mark.unit

STEP = 300.0


def make_host(seed, days=5):
    """Rows of a host whose load is high every fourth hour."""
    rng = np.random.default_rng(seed)
    times = 1.7e9 + STEP * np.arange(int(days * 288))
    index = np.clip(
        0.5 + 0.6 * ((np.arange(len(times)) // 12 + seed) % 4 == 0) + rng.normal(0, 0.1, len(times)), 0, 2
    )
    return host_rows(times, index, STEP, STEP, (0, seed), 300)


def test_host_rows_keep_the_newest_part_for_the_comparison():
    host = make_host(1)
    inputs = len(input_names(STEP))
    assert [reading.x.shape for reading in host.readings] == [(300, inputs)] * 4
    assert [reading.typical for reading in host.readings] == [True, False, False, False]
    assert host.x.shape == (360, inputs)
    assert host.y.shape == (360, len(PRETRAINED_HORIZONS))
    assert host_rows(np.arange(100) * STEP, np.ones(100), STEP, STEP, (0,), 300) is None


def test_rows_are_equal_for_equal_seeds():
    np.testing.assert_array_equal(make_host(2).readings[0].x, make_host(2).readings[0].x)


def test_pooled_model_of_alike_hosts_beats_the_shipped_one():
    hosts = [make_host(seed) for seed in range(6)]
    pooled = fit_pretrained([reading for host in hosts for reading in host.readings], 0)
    comparison = compare_pooled(pooled, bundled_pretrained_model(), hosts, STEP)
    assert comparison.hosts == 6
    assert comparison.brier < 0.8 * comparison.shipped_brier
    assert comparison.precision > comparison.shipped_precision
    assert comparison.accepted(1.0)
    assert not compare_pooled(bundled_pretrained_model(), pooled, hosts, STEP).accepted(1.0)
    assert not compare_pooled(pooled, bundled_pretrained_model(), hosts[:4], STEP).accepted(1.0)


@pytest.mark.parametrize(("precision", "accepted"), [(0.5, True), (0.45, True), (0.35, False), (np.nan, False)])
def test_gate_allows_a_precision_within_the_margin(precision, accepted):
    comparison = PoolComparison(
        hosts=10,
        brier=0.1,
        shipped_brier=0.11,
        brier_error=0.01,
        precision=precision,
        shipped_precision=0.5,
        precision_error=0.1,
    )
    assert comparison.accepted(1.0) == accepted


def test_hosts_without_events_are_not_compared():
    times = 1.7e9 + STEP * np.arange(1000)
    calm = host_rows(times, np.full(1000, 0.5), STEP, STEP, (0, 1), 100)
    comparison = compare_pooled(bundled_pretrained_model(), bundled_pretrained_model(), [calm], STEP)
    assert comparison.hosts == 0
    assert not comparison.accepted(1.0)
