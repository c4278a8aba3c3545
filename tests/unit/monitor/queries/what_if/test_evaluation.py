"""Tests of monitor.queries.what_if.evaluation."""

import numpy as np
import pytest

from model.features.labels import Rules
from model.forecast.online.hysteresis import start_threshold
from monitor.queries.what_if.evaluation import Setting, evaluate, start_thresholds
from monitor.queries.what_if.inputs import read_labels, read_probabilities
from tests.unit.monitor.conftest import NOW

from .conftest import HORIZON, START, STEP

pytestmark = pytest.mark.unit

PERIOD = (START - 1, NOW)


def result_of(stores, precision, bound=0.8):
    rules = Rules(((("cpu_usage", bound),),), 0.0)
    labels = read_labels(stores, rules, STEP, (HORIZON,), PERIOD)
    stored = read_probabilities(stores, (HORIZON,), PERIOD)
    return evaluate(Setting(precision, rules), 0.8, labels, stored)


def test_high_precision_announces_less_with_fewer_false_warnings(history):
    result = result_of(history, 0.8)
    (horizon,) = result.horizons
    assert (result.periods, horizon.warnings) == (4, 2)
    assert (horizon.score.announced, horizon.score.periods, horizon.score.false_warnings) == (2, 4, 0)
    assert horizon.score.lead_time_quartiles[1] == pytest.approx(600.0, abs=30.0)


def test_low_precision_announces_more_with_more_false_warnings(history):
    result = result_of(history, 0.6)
    (horizon,) = result.horizons
    assert (horizon.warnings, horizon.score.announced, horizon.score.false_warnings) == (4, 3, 1)
    assert result.any_horizon.announced == 3


def test_other_bounds_change_the_periods(history):
    result = result_of(history, 0.8, 0.95)
    (horizon,) = result.horizons
    assert (result.periods, horizon.score.periods, horizon.score.announced) == (0, 0, 0)
    assert horizon.score.false_warnings == 2


def test_thresholds_follow_the_precision_except_where_no_warning_is_possible():
    stored = np.array([start_threshold(0.8), 0.8, np.inf])
    changed = start_thresholds(stored, 0.8, 0.6)
    assert changed.tolist() == [start_threshold(0.6), 0.6, np.inf]


def test_history_without_data_has_no_warnings(stores):
    result = result_of(stores, 0.8)
    (horizon,) = result.horizons
    assert (result.periods, horizon.warnings, horizon.score.seconds) == (0, 0, 0.0)
