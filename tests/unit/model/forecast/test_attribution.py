"""Attribution of log-odds to metrics."""

import numpy as np
import pytest

from model.features.dataset import features_at
from model.features.labels import Rules
from model.forecast.attribution import LEVEL, contributions
from model.forecast.log_odds import logit
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model

pytestmark = pytest.mark.unit


def difference(predictor, p, i):
    return logit(p[0, i]) - logit(np.array(predictor.base_rates[i]))


def test_contributions_sum_to_the_difference_from_the_base_rate(candidate):
    predictor = candidate.predictor
    for row in candidate.holdout.x[::60]:
        p = predictor.probabilities(row[None])
        for i, by_metric in enumerate(contributions(predictor, row[None])):
            assert set(by_metric) == {*predictor.spec.groups, LEVEL}
            assert sum(by_metric.values()) == pytest.approx(difference(predictor, p, i), abs=1e-4)


def test_contributions_sum_to_the_published_probability_after_recalibration(candidate):
    predictor = candidate.predictor
    published = np.array([[0.2, 0.9]])
    for i, by_metric in enumerate(contributions(predictor, candidate.holdout.x[:1], published, [0.7, 1.2])):
        assert sum(by_metric.values()) == pytest.approx(difference(predictor, published, i), abs=1e-4)


def test_contribution_of_a_fallback_belongs_to_the_load(candidate):
    predictor = candidate.predictor
    published = np.array([[0.2, 0.9]])
    first, second = contributions(predictor, candidate.holdout.x[:1], published, [0.0, 1.0])
    assert first["load_index"] == pytest.approx(difference(predictor, published, 0))
    assert sum(abs(value) for value in first.values()) == pytest.approx(abs(first["load_index"]))
    assert second["cpu_usage"] != 0


def test_pretrained_model_attributes_nothing_to_other_metrics():
    columns = ("cpu_usage", "memory_usage")
    rules = Rules(((("cpu_usage", 0.8),),), 30.0)
    predictor = bootstrap_predictor(bundled_pretrained_model(), columns, rules, (300.0, 900.0, 3600.0), 5.0, 0.8)
    load = np.concatenate([np.full(300, 0.2), np.linspace(0.2, 0.9, 100)])
    times = 1.7e9 + np.arange(400) * 5.0
    for at in (10, 350, 399):
        x = features_at(predictor.spec, times, np.stack([load, load], axis=1), times[at : at + 1])
        p = predictor.probabilities(x)
        for i, by_metric in enumerate(contributions(predictor, x)):
            assert sum(by_metric.values()) == pytest.approx(difference(predictor, p, i), abs=1e-4)
            assert "memory_usage" not in by_metric
