"""Maxima of the score parts by half hour: recurring peaks, verdicts and six-hour maxima."""

import numpy as np
import pytest

from model.anomaly.block_maxima import SLOTS_PER_DAY, SLOTS_PER_WEEK, BlockMaxima

pytestmark = pytest.mark.unit

PEAK = np.array([9.0])


def constant_maxima(days):
    maxima = BlockMaxima(1)
    for slot in range(days * SLOTS_PER_DAY):
        maxima.add(slot, np.ones(1))
    return maxima


def test_get_returns_the_largest_value_of_a_slot():
    maxima = BlockMaxima(2)
    maxima.add(5, np.array([1.0, 4.0]))
    maxima.add(5, np.array([3.0, 2.0]))
    assert maxima.get(5).tolist() == [3.0, 4.0]
    assert maxima.get(6) is None
    assert maxima.maximum.tolist() == [3.0, 4.0]


def test_recurring_level_needs_three_days_at_the_same_time():
    maxima = constant_maxima(8)
    night = 6
    for day in (5, 6):
        maxima.add(day * SLOTS_PER_DAY + night, PEAK)
    assert maxima.recurring_level(8 * SLOTS_PER_DAY + night)[0] == 1.0
    maxima.add(7 * SLOTS_PER_DAY + night + 1, PEAK)
    assert maxima.recurring_level(8 * SLOTS_PER_DAY + night)[0] == 9.0
    assert maxima.recurring_level(8 * SLOTS_PER_DAY + night + 5)[0] == 1.0


def test_recurring_level_of_a_weekly_job_holds_on_its_weekday_only():
    maxima = constant_maxima(29)
    sunday = 3 * SLOTS_PER_DAY + 10
    for week in (0, 1, 2):
        maxima.add(week * SLOTS_PER_WEEK + sunday, PEAK)
    assert maxima.recurring_level(4 * SLOTS_PER_WEEK + sunday)[0] == 9.0
    assert maxima.recurring_level(4 * SLOTS_PER_WEEK + sunday - SLOTS_PER_DAY)[0] == 1.0


def test_expected_verdict_makes_an_occurrence_recurring():
    maxima = constant_maxima(10)
    expected = 9 * SLOTS_PER_DAY + 20
    maxima.add(expected, PEAK)
    assert maxima.recurring_level(10 * SLOTS_PER_DAY + 20)[0] == 1.0
    maxima.apply_verdicts([expected], [])
    assert maxima.recurring_level(10 * SLOTS_PER_DAY + 21)[0] == 9.0
    assert maxima.recurring_level(10 * SLOTS_PER_DAY + 30)[0] == 1.0


def test_six_hour_maxima_leave_out_excluded_slots():
    maxima = constant_maxima(20)
    peaks = [day * SLOTS_PER_DAY + 7 * day % 48 for day in range(10, 20)]
    for slot in peaks:
        maxima.add(slot, np.array([50.0]))
    assert (maxima.six_hour_maxima(20 * SLOTS_PER_DAY, replace_recurring=False) == 50.0).sum() == len(peaks)
    maxima.apply_verdicts([], peaks)
    assert maxima.six_hour_maxima(20 * SLOTS_PER_DAY, replace_recurring=False).max() == 1.0


def test_six_hour_maxima_replace_recurring_peaks():
    maxima = constant_maxima(20)
    for day in range(12, 20):
        maxima.add(day * SLOTS_PER_DAY + 6, np.array([50.0]))
        maxima.add(day * SLOTS_PER_DAY + 30, np.array([1.0 + day % 3]))
    replaced = maxima.six_hour_maxima(20 * SLOTS_PER_DAY, replace_recurring=True)
    kept = maxima.six_hour_maxima(20 * SLOTS_PER_DAY, replace_recurring=False)
    assert replaced.shape == kept.shape == (80, 1)
    assert replaced.max() < 10 < kept.max()


def test_six_hour_maxima_of_half_a_day_are_two_blocks():
    assert constant_maxima(1).six_hour_maxima(SLOTS_PER_DAY // 2, replace_recurring=True).tolist() == [[1.0], [1.0]]


def test_six_hour_maxima_cover_thirty_days():
    maxima = constant_maxima(40)
    maxima.add(2, np.array([100.0]))
    assert maxima.six_hour_maxima(40 * SLOTS_PER_DAY, replace_recurring=False).shape == (120, 1)
    assert maxima.six_hour_maxima(40 * SLOTS_PER_DAY, replace_recurring=False).max() == 1.0
