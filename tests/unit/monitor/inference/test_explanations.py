"""Phrases on the features of a prediction."""

import numpy as np
import pytest

from model.features.feature_spec import FeatureSpec
from model.features.labels import Rules
from model.forecast.attribution import LEVEL
from monitor.inference.explanations import explain_group

pytestmark = pytest.mark.unit

SPEC = FeatureSpec(
    columns=("cpu_usage", "network_receive"),
    inputs=("cpu_usage", "network_receive"),
    logarithmic=("network_receive",),
    rules=Rules(((("cpu_usage", 0.8),),), 60.0),
    windows=(60.0, 300.0, 1800.0, 3600.0),
    step=5.0,
    horizons=(300.0, 900.0),
    seasonal=True,
)


def explain(group, features=None, horizon=900.0):
    x = np.full(len(SPEC.names), np.nan, np.float32)
    for name, value in (features or {}).items():
        x[SPEC.column_index[name]] = value
    return explain_group(SPEC, x, group, horizon)


@pytest.mark.parametrize(
    ("features", "phrase"),
    [
        (
            {"cpu_usage:last": 0.7, "cpu_usage:departure:300s": 0.03, "cpu_usage:departure:1800s": 0.2},
            "CPU at 70%, 20 points above the mean of 30 min",
        ),
        ({"cpu_usage:last": 0.7, "cpu_usage:departure:300s": 0.001}, "CPU at 70%, steady"),
        ({"cpu_usage:last": 0.7}, "CPU at 70%, steady"),
        ({}, "CPU unknown"),
    ],
)
def test_ratio_is_explained_by_value_and_largest_departure(features, phrase):
    assert explain("cpu_usage", features) == phrase


@pytest.mark.parametrize(
    ("departure", "phrase"),
    [
        (np.log(3), "network received 3.0 times above the mean of 1 min"),
        (-np.log(20), "network received 20 times below the mean of 1 min"),
        (np.log(1000), "network received more than 100 times above the mean of 1 min"),
    ],
)
def test_rate_is_explained_as_a_factor(departure, phrase):
    features = {"network_receive:last": 9.0, "network_receive:departure:60s": departure}
    assert explain("network_receive", features) == phrase


@pytest.mark.parametrize(
    ("features", "phrase"),
    [
        (
            {"load_index:mean:60s": 0.8, "load_index:mean:1800s": 0.4, "load_index:last": 0.83},
            "load is at 83% of the high-load bound, rising",
        ),
        (
            {"load_index:mean:60s": 0.4, "load_index:mean:1800s": 0.8, "load_index:last": 0.3},
            "load is at 30% of the high-load bound, falling",
        ),
        ({"load_index:last": 1.1, "load_index:state": 1}, "load is high now"),
        ({}, "the present load is unknown"),
    ],
)
def test_load_is_explained_relative_to_the_bound(features, phrase):
    assert explain("load_index", features) == phrase


@pytest.mark.parametrize(
    ("ratio", "phrase"),
    [
        (5 / 7, "load was high at this time on 5 of the last 7 days"),
        (0.5, "load was high at this time on 50% of the last days"),
        (None, "the load at this time of day is unknown"),
    ],
)
def test_past_days_are_counted(ratio, phrase):
    features = {} if ratio is None else {"past_days:high:900s": ratio}
    assert explain("past_days", features) == phrase


def test_yesterday_is_explained_for_the_horizon():
    assert explain("yesterday", {"yesterday:high:900s": 1}) == "load was high at this time yesterday"
    assert explain("yesterday", {"yesterday:high:900s": 0}) == "load was not high at this time yesterday"
    assert explain("yesterday", {"yesterday:high:900s": 1}, 300.0) == "yesterday's load at this time is unknown"


def test_level_is_explained_by_the_load_state():
    assert explain(LEVEL, {"load_index:state": 1}) == "base rate while load is high"
    assert explain(LEVEL, {"load_index:state": 0}) == "base rate while load is calm"
    above = {"load_index:state": 0, "load_index:last": 1.05}
    assert explain(LEVEL, above) == "base rate while load is high"
