"""What moved a probability is said in words that name the figures."""

import numpy as np
import pytest
from model.features.features import FeatureSpec

from model.features.labels import Rules
from monitor.inference.explanations import phrase

pytestmark = pytest.mark.unit

RULES = Rules(((("cpu_usage", 0.8),),), 60.0)
SPEC = FeatureSpec(
    ("cpu_usage", "network_receive"),
    ("cpu_usage", "network_receive"),
    ("network_receive",),
    RULES,
    (60.0, 300.0, 1800.0, 3600.0),
    5.0,
    (300.0, 900.0),
    seasonal=True,
)


def said(group, horizon=900.0, **values):
    x = np.full(len(SPEC.names), np.nan, np.float32)
    for name, value in values.items():
        x[SPEC.place[name.replace("__", ":")]] = value
    return phrase(SPEC, x, group, horizon)


def test_a_metric_names_its_level_and_its_largest_move():
    text = said("cpu_usage", cpu_usage__last=0.7, cpu_usage__departure__300s=0.03, cpu_usage__departure__1800s=0.2)
    assert text == "CPU is at 70%, 20 points above its mean of 30 min"
    assert said("cpu_usage", cpu_usage__last=0.7, cpu_usage__departure__300s=0.001) == "CPU is at 70% and steady"
    assert said("cpu_usage") == "CPU is not known"


def test_a_rate_is_told_as_times_its_mean():
    text = said("network_receive", network_receive__last=9.0, network_receive__departure__60s=np.log(3))
    assert text == "network received is 3.0 times over its mean of 1 min"
    text = said("network_receive", network_receive__last=9.0, network_receive__departure__60s=-np.log(20))
    assert text == "network received is 20 times under its mean of 1 min"


def test_load_is_told_against_what_counts_as_high():
    rising = {"load_index__mean__60s": 0.8, "load_index__mean__1800s": 0.4}
    assert said("load_index", load_index__last=0.83, load_index__state=0, **rising) == (
        "load is at 83% of what counts as high, rising"
    )
    assert said("load_index", load_index__last=1.1, load_index__state=1) == "load is high now"
    assert said("load_index") == "the present load is not known"


def test_other_days_are_counted():
    assert said("past_days", past_days__high__900s=5 / 7) == "it was high at this time on 5 of the last 7 days"
    assert said("past_days", past_days__high__900s=0.5) == "it was high at this time on 50% of the last days"
    assert said("past_days") == "this time of the day is not known yet"
    assert said("yesterday", yesterday__high__900s=1) == "yesterday at this time it was high"
    assert said("yesterday", yesterday__high__900s=0) == "yesterday at this time it was not high"
    assert said("yesterday", horizon=300.0, yesterday__high__900s=1) == "yesterday at this time is not known"
