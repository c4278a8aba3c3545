"""Bounds of values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sampling.bounds import ROUNDING_TOLERANCE, bounded_value, clip_rounding
from monitor.sampling.metric_catalog import HOST_METRICS, MAX_THROUGHPUT

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("cpu_usage", 0.5, 0.5),
        ("cpu_usage", 1.0000001, 1.0),
        ("cpu_usage", 1.0005, 1.0),
        ("cpu_usage", 1.1, None),
        ("cpu_usage", -0.1, None),
        ("memory_usage", -1e-9, 0.0),
        ("load_per_cpu", 7.0, 7.0),
        ("load_per_cpu", 1e300, None),
        ("network_receive", 1e9, 1e9),
        ("network_receive", 3.69e18, None),
        ("network_receive", math.inf, None),
        ("network_receive", -5.0, None),
        ("disk_write", MAX_THROUGHPUT, MAX_THROUGHPUT),
        ("disk_busy", math.nan, None),
        ("swap_usage", None, None),
    ],
)
def test_bounded_value_clips_rounding_errors_and_drops_impossible_values(field, value, expected):
    assert bounded_value(field, value) == expected


@given(st.sampled_from(HOST_METRICS), st.floats())
def test_bounded_value_is_missing_or_within_the_bounds_and_near_the_value(metric, value):
    bounded = bounded_value(metric.field, value)
    if bounded is None:
        assert not 0 <= value <= metric.upper_bound
    else:
        assert 0 <= bounded <= metric.upper_bound
        assert abs(bounded - value) <= ROUNDING_TOLERANCE * 1.0001


@given(st.floats(min_value=0, max_value=1))
def test_clip_rounding_keeps_values_within_the_bounds(value):
    assert clip_rounding(value, 1.0) == value
