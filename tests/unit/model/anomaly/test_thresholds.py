"""Alarm thresholds, false-alarm rates and habituation."""

from dataclasses import replace

import numpy as np
import pytest

from model.anomaly.block_maxima import BLOCKS_PER_MONTH, SLOT_SECONDS
from model.anomaly.thresholds import (
    ALARM_WARM_UP,
    FLATLINE_BUDGET,
    HABITUATION_DELAY,
    HABITUATION_RESET,
    SUPPRESSED_RATIO,
    AlarmThresholds,
    Habituation,
    alarm_rates,
)

pytestmark = pytest.mark.unit

STEP = 300.0


def test_alarm_rates_share_the_budget_that_the_flatline_channel_leaves():
    assert alarm_rates(FLATLINE_BUDGET + 1.0) == pytest.approx(
        {"joint": 0.65 / BLOCKS_PER_MONTH, "spike": 0.52 / BLOCKS_PER_MONTH}
    )


def test_alarm_rates_have_a_lower_bound():
    assert alarm_rates(0.5) == pytest.approx({"joint": 0.1 / BLOCKS_PER_MONTH, "spike": 0.075 / BLOCKS_PER_MONTH})


def lasting(habituation, start, seconds, ratio, value):
    """Return the level after rows of a constant ratio and value."""
    levels = [habituation.update(at, ratio, value) for at in np.arange(start, start + seconds, STEP)]
    return levels[-1]


def test_habituation_accepts_the_level_of_a_lasting_alarm():
    habituation = Habituation()
    assert lasting(habituation, 0.0, HABITUATION_DELAY, 1.2, 5.0) == 0.0
    assert habituation.update(HABITUATION_DELAY, 1.2, 5.0) == 5.0


def test_habituation_forgets_after_an_hour_without_alarm():
    habituation = Habituation()
    lasting(habituation, 0.0, HABITUATION_DELAY + STEP, 1.2, 5.0)
    start = HABITUATION_DELAY + STEP
    assert lasting(habituation, start, HABITUATION_RESET - STEP, 0.1, 0.5) == 5.0
    assert habituation.update(start + HABITUATION_RESET, 0.1, 0.5) == 0.0


def test_habituation_ignores_a_short_alarm():
    habituation = Habituation()
    lasting(habituation, 0.0, HABITUATION_DELAY / 2, 1.2, 5.0)
    lasting(habituation, HABITUATION_DELAY / 2, 2 * HABITUATION_RESET, 0.1, 0.5)
    assert lasting(habituation, 2 * HABITUATION_DELAY, HABITUATION_DELAY / 2, 1.2, 5.0) == 0.0


def warm(thresholds, detector):
    """Feed median parts through the warm-up; return the time after it."""
    start = (detector.slots[-1] + 1) * SLOT_SECONDS
    parts = np.median(detector.slot_maxima, axis=0)
    for at in np.arange(start, start + ALARM_WARM_UP, STEP):
        thresholds.update(at, parts)
    return start + ALARM_WARM_UP


def test_thresholds_suppress_alarms_in_the_warm_up(detector):
    thresholds = AlarmThresholds(detector, 2.0)
    start = (detector.slots[-1] + 1) * SLOT_SECONDS
    ratios = thresholds.update(start, 100 * detector.slot_maxima.max(axis=0))
    assert ratios == {"joint": SUPPRESSED_RATIO, "spike": SUPPRESSED_RATIO}


def test_thresholds_report_the_ratio_to_their_level(detector):
    thresholds = AlarmThresholds(detector, 2.0)
    at = warm(thresholds, detector)
    levels = thresholds.levels
    ratios = thresholds.update(at, np.array([2 * levels["joint"], 0.6 * levels["spike"], 1.0]))
    assert ratios == pytest.approx({"joint": 2.0, "spike": 0.6})


def test_thresholds_of_a_larger_budget_are_lower(detector):
    at = (detector.slots[-1] + 1) * SLOT_SECONDS
    levels = []
    for budget in (1.0, 5.0):
        thresholds = AlarmThresholds(detector, budget)
        thresholds.refit(at)
        levels.append(thresholds.levels)
    assert all(levels[1][name] < levels[0][name] for name in ("joint", "spike"))


def test_score_increases_with_the_overall_part(detector):
    thresholds = AlarmThresholds(detector, 2.0)
    thresholds.refit((detector.slots[-1] + 1) * SLOT_SECONDS)
    scores = [thresholds.score(np.array([0.0, 0.0, overall])) for overall in (0.0, 1.0, 5.0, 500.0)]
    assert scores[0] == 0.0
    assert scores == sorted(scores)
    assert scores[-1] < 1


def test_score_is_nan_without_block_maxima(detector):
    empty = replace(detector, slots=np.zeros(0, np.int64), slot_maxima=np.zeros((0, 3)))
    thresholds = AlarmThresholds(empty, 2.0)
    thresholds.refit(1.7e9)
    assert np.isnan(thresholds.score(np.ones(3)))
    assert all(np.isnan(level) for level in thresholds.levels.values())
