"""Feature specification: selection of inputs, windows and groups."""

from dataclasses import replace

import numpy as np
import pytest

from model.features.feature_spec import make_spec, windows_for
from model.features.labels import Rules
from tests.unit.model.conftest import COLUMNS, make_trace

pytestmark = pytest.mark.unit

RULES = Rules(((("cpu_usage", 0.8),),), sustained=30.0)
HORIZONS = (60.0, 300.0)


@pytest.fixture(scope="module")
def spec(trace):
    return make_spec(COLUMNS, trace[1], RULES, HORIZONS, 10.0)


def test_constant_and_missing_columns_are_no_inputs(trace):
    constant = trace[1].copy()
    constant[:, 1] = 0.5
    assert make_spec(COLUMNS, constant, RULES, HORIZONS, 10.0).inputs == ("cpu_usage", "network_receive")


def test_rates_are_logarithmic_and_ratios_are_not(spec):
    assert spec.logarithmic == ("network_receive",)


def test_metrics_with_negative_values_are_not_logarithmic(trace):
    negative = trace[1].copy()
    negative[0, 2] = -1.0
    assert make_spec(COLUMNS, negative, RULES, HORIZONS, 10.0).logarithmic == ()


@pytest.mark.parametrize(("step", "seasonal"), [(600.0, True), (3600.0, True), (7200.0, False)])
def test_seasonal_features_need_samples_at_most_an_hour_apart(step, seasonal):
    _, values = make_trace(rows=400, step=step)
    assert make_spec(COLUMNS, values, RULES, HORIZONS, step).seasonal == seasonal


def test_windows_follow_the_horizons():
    general = windows_for((300.0, 900.0, 3600.0), 5.0)
    assert general == (60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0)
    assert windows_for((5.0, 10.0), 2.0) == (4.0, 5.0, 10.0, 20.0, 40.0, *general)


def test_every_feature_belongs_to_a_single_group(spec):
    assert spec.groups == ("cpu_usage", "memory_usage", "network_receive", "load_index", "yesterday", "past_days")
    assert np.all(spec.group_membership.sum(axis=1) == 1)


def test_column_index_is_the_position_of_the_name(spec):
    assert [spec.column_index[name] for name in spec.names] == list(range(len(spec.names)))


def test_features_of_a_metric_are_its_own_windows_and_its_daily_mean(spec):
    assert spec.metric_features.shape == (len(spec.inputs), len(spec.names))
    for metric, columns in zip(spec.inputs, spec.metric_features, strict=True):
        names = [name for name, own in zip(spec.names, columns, strict=True) if own]
        assert names == [name for name in spec.names if name.startswith(f"{metric}:")]
        assert len(names) >= 1 + len(spec.windows)
    others = {name.partition(":")[0] for name, own in zip(spec.names, spec.is_metric, strict=True) if not own}
    assert others == {"load_index", "yesterday", "past_days"}


def test_window_limits_the_load_index_of_the_features(spec):
    values = np.full((3, len(COLUMNS)), 0.4)
    values[1, 0] = 800.0
    for limit in (1.25, 8.0):
        window = replace(spec, load_limit=limit).new_window()
        window.extend(np.array([10.0, 20.0, 30.0]), values)
        assert window.load_index.tolist() == [0.5, limit, 0.5]
    assert spec.load_limit == 1.25
