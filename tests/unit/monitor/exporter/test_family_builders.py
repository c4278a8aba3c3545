"""Tests of the constructors of metric families."""

import pytest

from monitor.exporter.family_builders import counter, gauge, horizon_gauge, labelled_counter, labelled_gauge

pytestmark = pytest.mark.unit


def test_gauge_and_counter_have_prefix_and_type(samples):
    assert samples([gauge("x_ratio", "Ratio of x.", True)]) == {("x_ratio",): 1.0}
    assert samples([counter("x", "Number of x.", 3)]) == {("x_total",): 3}


def test_labelled_gauge_leaves_out_missing_values(samples):
    metric = labelled_gauge("x", "Value of x.", ["a"], [(("one",), 1.0), (("two",), None)])
    assert samples([metric]) == {("x", "one"): 1.0}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_not_finite_are_left_out(samples, value):
    assert samples([gauge("x", "Value of x.", value), horizon_gauge("y", "Value of y.", [(300.0, value)])]) == {}


def test_labelled_counter_has_a_sample_per_label_value(samples):
    metric = labelled_counter("x", "Number of x.", "a", [("one", 1), ("two", 0)])
    assert samples([metric]) == {("x_total", "one"): 1, ("x_total", "two"): 0}


def test_horizon_gauge_formats_horizons(samples):
    assert samples([horizon_gauge("x", "Value of x.", [(300.0, 0.5), (3600.0, 1.0)])]) == {
        ("x", "5m"): 0.5,
        ("x", "1h"): 1.0,
    }
