"""Tests of monitor.queries.what_if.inputs."""

import numpy as np
import pytest

from model.features.labels import Rules
from monitor.queries.scorecard import EVALUATION_INTERVAL
from monitor.queries.what_if.inputs import read_labels, read_probabilities
from tests.unit.monitor.conftest import NOW

from .conftest import DURATION, HORIZON, ONSETS, START, STEP

pytestmark = pytest.mark.unit

RULES = Rules(((("cpu_usage", 0.8),),), 0.0)
PERIOD = (START - 1, NOW)


def test_probabilities_are_thinned_by_horizon(history):
    stored = read_probabilities(history, (300.0, HORIZON), PERIOD)
    assert len(stored[300.0].at) == 0
    at = stored[HORIZON].at
    assert len(np.unique(at // EVALUATION_INTERVAL)) == len(at)
    assert len(at) > 0.9 * (NOW - START) / EVALUATION_INTERVAL
    assert set(stored[HORIZON].probability) == {0.1, 0.6, 0.9}


def test_labels_follow_the_rules(history):
    labels = read_labels(history, RULES, STEP, (HORIZON,), PERIOD)
    assert labels.onsets.tolist() == ONSETS
    inside = np.any([(labels.times >= onset) & (labels.times < onset + DURATION) for onset in ONSETS], axis=0)
    assert np.mean(labels.in_period == inside) > 0.97
    before = (labels.times > ONSETS[1] - HORIZON) & (labels.times < ONSETS[1])
    assert set(labels.outcomes[before, 0]) == {1.0}
    assert np.isnan(labels.outcomes[-1, 0])
    assert np.all(labels.last_high[1:] >= labels.last_high[:-1])


def test_labels_of_other_rules_have_other_periods(history):
    higher = read_labels(history, Rules(((("cpu_usage", 0.95),),), 0.0), STEP, (HORIZON,), PERIOD)
    assert len(higher.onsets) == 0
    assert not higher.in_period.any()


def test_history_without_samples_has_no_rows(stores):
    labels = read_labels(stores, RULES, STEP, (HORIZON,), PERIOD)
    assert len(labels.times) == len(labels.onsets) == 0
    assert labels.outcomes.shape == (0, 1)
