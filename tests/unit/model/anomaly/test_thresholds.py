"""Alarm thresholds, the shared false-alarm budget and habituation."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from model.anomaly.block_maxima import BLOCKS_PER_MONTH, SLOT_SECONDS
from model.anomaly.scoring.channels import SCORE_PARTS
from model.anomaly.scoring.tails import fit_block_maxima
from model.anomaly.thresholds import (
    ALARM_WARM_UP,
    BUDGET_SHARE,
    CHANNELS,
    HABITUATION_DELAY,
    HABITUATION_RESET,
    SUPPRESSED_RATIO,
    AlarmThresholds,
    Habituation,
    fit_alarm_levels,
)

pytestmark = pytest.mark.unit

STEP = 300.0


def independent_maxima(months):
    rng = np.random.default_rng(5)
    return [(1 - rng.random((round(BLOCKS_PER_MONTH), len(SCORE_PARTS)))) ** (-0.3) for _ in range(months)]


def test_channels_share_the_budget():
    indices = [SCORE_PARTS.index(name) for name in CHANNELS]
    alarms = []
    for previous, current in pairwise(independent_maxima(200)):
        levels = fit_alarm_levels(previous, 2.0)
        alarms.append((current[:, indices] > list(levels.values())).any(axis=1).sum())
    assert np.mean(alarms) == pytest.approx(2.0, rel=0.25)


def test_alarm_levels_of_equal_channels_are_those_of_one_channel():
    (maxima,) = independent_maxima(1)
    maxima[:] = maxima[:, :1]
    levels = fit_alarm_levels(maxima, 2.0)
    assert levels["joint"] == levels["spike"]
    tail = fit_block_maxima(maxima[:, 0])
    assert levels["joint"] == pytest.approx(tail.return_level(BUDGET_SHARE * 2.0 / BLOCKS_PER_MONTH))


def test_alarm_levels_are_nan_for_fewer_than_three_blocks():
    assert np.isnan(list(fit_alarm_levels(np.ones((2, len(SCORE_PARTS))), 2.0).values())).all()


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
    assert all(levels[1][name] < levels[0][name] for name in CHANNELS)


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
