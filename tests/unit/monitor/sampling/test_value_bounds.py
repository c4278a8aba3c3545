"""Value bounds: rounding, impossible values."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sampling.metric_catalog import HOST_METRICS, METRIC_BY_FIELD
from monitor.sampling.value_bounds import TOLERANCE, validated_value, validated_values

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("cpu_usage", 0.5, 0.5),
        ("cpu_usage", 1.0000001, 1.0),
        ("cpu_usage", 100.1 / 100, 1.0),
        ("cpu_usage", 1.0011, None),
        ("cpu_usage", -0.0011, None),
        ("cpu_usage", -0.001, 0.0),
        ("memory_usage", -1e-9, 0.0),
        ("load_per_cpu", 7.0, 7.0),
        ("load_per_cpu", 1e6, None),
        ("network_receive", 1e11, 1e11),
        ("network_receive", 3.7e18, None),
        ("network_receive", math.inf, None),
        ("network_errors", 1e11, None),
        ("disk_busy", math.nan, None),
        ("swap_usage", None, None),
    ],
)
def test_validated_value_limits_rounding_and_drops_impossible_values(field, value, expected):
    assert validated_value(field, value) == expected


@pytest.mark.parametrize(("value", "expected"), [(-40.0, -40.0), (-50.0005, -50.0), (-51.0, None), (90.0, 90.0)])
def test_validated_value_may_be_negative_down_to_a_lower_bound(monkeypatch, value, expected):
    temperature = replace(METRIC_BY_FIELD["load_per_cpu"], lower_bound=-50.0)
    monkeypatch.setitem(METRIC_BY_FIELD, "load_per_cpu", temperature)
    assert validated_value("load_per_cpu", value) == expected


def test_validated_value_has_no_negative_zero():
    assert math.copysign(1, validated_value("cpu_usage", -0.0)) == 1


@given(field=st.sampled_from([metric.field for metric in HOST_METRICS]), value=st.floats())
def test_validated_value_is_within_bounds_and_no_further_away_than_the_tolerance(field, value):
    bound = METRIC_BY_FIELD[field].upper_bound
    validated = validated_value(field, value)
    if validated is None:
        assert not -TOLERANCE <= value <= bound + TOLERANCE
    else:
        assert 0 <= validated <= bound
        assert validated == value or abs(validated - value) <= TOLERANCE * 1.000001


@given(value=st.floats())
def test_validated_values_are_those_of_validated_value(value):
    fields = tuple(METRIC_BY_FIELD)
    expected = [validated_value(field, value) for field in fields]
    actual = validated_values(fields, np.full((1, len(fields)), value))[0]
    assert np.array_equal(actual, [math.nan if bounded is None else bounded for bounded in expected], equal_nan=True)
