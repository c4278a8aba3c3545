"""Warning hysteresis."""

import numpy as np
import pytest

from model.forecast.online.hysteresis import release_threshold, warning_states

pytestmark = pytest.mark.unit


def states(probabilities, threshold, active=False):
    p = np.asarray(probabilities)[None, :, None]
    start = np.full(p.shape, threshold)
    return warning_states(p, start, release_threshold(start), np.array([[active]]))[0, :, 0].tolist()


def test_warning_ends_only_clearly_below_its_threshold():
    p = [0.5, 0.8, 0.75, 0.72, 0.8, 0.6, 0.75, np.nan, 0.75]
    assert states(p, 0.8) == [False, True, True, True, True, False, False, False, False]


def test_active_warning_continues_below_the_start_threshold():
    assert states([0.75, 0.72], 0.8, active=True) == [True, True]
    assert states([0.75, 0.72], 0.8) == [False, False]


def test_infinite_threshold_never_warns():
    assert states([1.0, 1.0], np.inf, active=True) == [False, False]


def test_release_threshold_is_half_a_unit_of_log_odds_lower():
    assert release_threshold(np.array([0.8, np.inf])) == pytest.approx([0.708, np.inf], abs=1e-3)
