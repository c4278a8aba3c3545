"""Tests of monitor.web.api.what_if_query."""

import pytest

from monitor.web.api.parameters import ApiError
from monitor.web.api.what_if_query import DEFAULT_RANGE, what_if_change

pytestmark = pytest.mark.unit


def test_empty_query_is_the_present_setting():
    change = what_if_change({})
    assert (change.seconds, change.precision, change.bounds) == (DEFAULT_RANGE, None, {})


def test_query_names_rule_and_metric_of_a_bound():
    change = what_if_change(
        {"precision": "0.7", "range": "24h", "bound_2_disk_write": "5e7", "bound_1_cpu_usage": "1"}
    )
    assert (change.seconds, change.precision) == (86400.0, 0.7)
    assert change.bounds == {(1, "disk_write"): 5e7, (0, "cpu_usage"): 1.0}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("precision", "0"),
        ("precision", "1"),
        ("precision", "nan"),
        ("precision", "0_5"),
        ("precision", ""),
        ("precision", "0." + "1" * 40),
        ("range", "1m"),
        ("range", "31d"),
        ("range", "week"),
        ("bound_1_cpu_usage", "1.01"),
        ("bound_1_disk_write", "0"),
        ("bound_1_disk_write", "1e999"),
        ("bound_0_cpu_usage", "0.5"),
        ("bound_x_cpu_usage", "0.5"),
        ("points", "10"),
    ],
)
def test_invalid_parameters_are_refused(name, value):
    with pytest.raises(ApiError) as caught:
        what_if_change({name: value})
    assert caught.value.code == 400
