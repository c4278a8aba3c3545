"""Warning hysteresis."""

import numpy as np
import pytest

from model.forecast.online.hysteresis import WarningHysteresis, release_threshold

pytestmark = pytest.mark.unit

STEP = 10.0
HORIZON = 300.0
NAN = float("nan")


def update(hysteresis, probabilities, threshold, *, high=None, first=0):
    """Feed samples of one host and horizon; return the warnings as 0 and 1."""
    p = np.asarray(probabilities, float)[None, :, None]
    times = STEP * (first + np.arange(p.shape[1], dtype=float))[None]
    start = np.full(p.shape, threshold)
    in_period = np.zeros(times.shape, bool) if high is None else np.array(high, bool)[None]
    last_high = np.maximum.accumulate(np.where(in_period, times, -np.inf), axis=1)
    states = hysteresis.update(times, p, (start, release_threshold(start)), (in_period, last_high))[1]
    return states[0, :, 0].astype(int).tolist()


def states(probabilities, threshold, *, hold=0.0, high=None):
    return update(WarningHysteresis(1, (HORIZON,), hold), probabilities, threshold, high=high)


def test_warning_ends_only_clearly_below_its_threshold():
    p = [0.5, 0.8, 0.75, 0.72, 0.8, 0.6, 0.75, NAN, 0.75]
    assert states(p, 0.8) == [0, 1, 1, 1, 1, 0, 0, 0, 0]


def test_warning_ends_after_the_hold_time_below_the_release_threshold():
    p = [0.8, 0.1, 0.1, 0.75, 0.1, 0.1, 0.1, 0.1]
    assert states(p, 0.8, hold=30.0) == [1, 1, 1, 1, 1, 1, 0, 0]


def test_infinite_threshold_never_warns_and_ends_a_warning():
    hysteresis = WarningHysteresis(1, (HORIZON,), 30.0)
    assert update(hysteresis, [0.9], 0.8) == [1]
    assert update(hysteresis, [1.0, 1.0], np.inf, first=1) == [0, 0]


def test_warning_ends_at_the_onset_and_does_not_start_during_high_load():
    assert states([0.9] * 6, 0.8, high=[0, 0, 1, 1, 1, 1]) == [1, 1, 0, 0, 0, 0]


def test_no_warning_after_a_period_until_the_probability_was_low_for_the_hold_time():
    high = [1, 1, *[0] * 9]
    p = [0.9, 0.9, 0.9, 0.9, 0.1, 0.9, 0.1, 0.1, 0.1, 0.9, 0.9]
    assert states(p, 0.8, hold=30.0, high=high) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]


def test_warning_after_a_period_may_start_after_one_horizon_of_calm():
    rows = int(HORIZON / STEP)
    warnings = states([0.9] * (rows + 3), 0.8, hold=30.0, high=[1, *[0] * (rows + 2)])
    assert warnings == [*[0] * rows, 1, 1, 1]


def test_inherit_takes_over_the_warnings_of_shared_horizons():
    previous = WarningHysteresis(1, (HORIZON,), 30.0)
    update(previous, [0.9], 0.8)
    successor = WarningHysteresis(1, (60.0, HORIZON), 30.0)
    successor.inherit(previous)
    p = np.full((1, 1, 2), 0.75)
    start = np.full(p.shape, 0.8)
    periods = np.zeros((1, 1), bool), np.full((1, 1), -np.inf)
    before, now = successor.update(np.array([[10.0]]), p, (start, release_threshold(start)), periods)
    assert before[0, 0].tolist() == now[0, 0].tolist() == [False, True]


def test_release_threshold_is_half_a_unit_of_log_odds_lower():
    assert release_threshold(np.array([0.8, np.inf])) == pytest.approx([0.708, np.inf], abs=1e-3)
