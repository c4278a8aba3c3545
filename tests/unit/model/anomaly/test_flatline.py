"""Flatline detection."""

import numpy as np
import pytest

from model.anomaly.flatline import MAX_ALARM, FlatlineDetector, fit_flatline_baseline

pytestmark = pytest.mark.unit

TOLERANCE = np.full(3, 1e-9)
STEP = 60.0


def moving_values(rows, seed=6):
    return np.random.default_rng(seed).normal(size=(rows, 3))


def flatline_detector(history):
    return FlatlineDetector(fit_flatline_baseline(history, TOLERANCE), STEP, false_alarms_per_month=2.0)


def ratios(detector, x):
    return np.array([detector.update(row)[0] for row in x])


def test_flatline_of_a_metric_alarms_until_it_is_the_new_normal():
    detector = flatline_detector(moving_values(2000))
    x = moving_values(1000, seed=7)
    x[200:, 1] = 0.5
    updates = [detector.update(row) for row in x]
    alarms = np.flatnonzero([ratio >= 1 for ratio, _ in updates])
    assert 200 + 115 < alarms[0] < 200 + 130
    assert alarms[-1] == pytest.approx(320 + MAX_ALARM / STEP, abs=10)
    assert updates[340][1].argmax() == 1


def test_flatline_of_all_metrics_alarms_sooner():
    x = moving_values(200, seed=8)
    x[100:] = x[100]
    alarms = np.flatnonzero(ratios(flatline_detector(moving_values(2000)), x) >= 1)
    assert 110 < alarms[0] < 160


def test_metric_that_often_rests_is_not_checked_alone():
    history = moving_values(2000)
    history[:, 2] = np.where(np.arange(2000) % 40 == 0, history[:, 2], 0.0)
    assert fit_flatline_baseline(history, TOLERANCE).checked_alone.tolist() == [True, True, False]
    x = moving_values(600, seed=9)
    x[:, 2] = 0.0
    assert ratios(flatline_detector(history), x).max() < 1


def test_flatline_that_occurred_twice_is_no_longer_an_alarm():
    detector = flatline_detector(moving_values(2000))
    alarms = []
    for occurrence in range(4):
        x = moving_values(400, seed=10 + occurrence)
        x[100:300, 0] = 0.25
        alarms.append(ratios(detector, x).max() >= 1)
    assert alarms == [True, True, False, False]


def test_missing_values_neither_continue_nor_end_a_run():
    detector = flatline_detector(moving_values(2000))
    x = moving_values(120, seed=14)
    x[20:, 1] = 0.5
    expected = ratios(detector, x)
    with_gap = np.insert(x, 50, np.nan, axis=0)
    results = ratios(flatline_detector(moving_values(2000)), with_gap)
    assert np.delete(results, 50) == pytest.approx(expected)
    assert results[50] == 0.0
