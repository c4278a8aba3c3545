"""Tests of the prediction schedule."""

import pytest

from monitor.inference.prediction_schedule import PredictionSchedule
from storage import Sample

pytestmark = pytest.mark.unit


def due_times(interval, times, horizons=(300.0, 900.0)):
    schedule = PredictionSchedule(interval)
    return [at for at in times if schedule.add(Sample(at), horizons)]


@pytest.mark.parametrize(
    ("interval", "expected"),
    [(1.0, [1003, 1005, 1010]), (2.0, [1003, 1005, 1011]), (5.0, [1003, 1008, 1013]), (60.0, [1003, 1063, 1123])],
)
def test_due_at_the_first_sample_of_each_sixtieth_of_the_shortest_horizon(interval, expected):
    times = [1003 + i * interval for i in range(12)]
    assert due_times(interval, times)[:3] == expected


def test_due_once_per_minute_for_long_horizons():
    assert due_times(1.0, range(6000, 6180), (24 * 3600.0,)) == [6000, 6060, 6120]


def test_due_after_the_clock_was_set_back_or_a_sample_of_the_same_time():
    assert due_times(1.0, [1000, 1001, 1002, 1001, 1002, 1002]) == [1000, 1001, 1002]


def test_samples_are_collected_until_they_are_taken():
    schedule = PredictionSchedule(1.0)
    assert schedule.add(Sample(1000.0), (300.0,))
    assert [sample.at for sample in schedule.take()] == [1000.0]
    assert not schedule.add(Sample(1001.0), (300.0,))
    assert schedule.add(Sample(1002.0), (300.0,), at_once=True)
    assert [sample.at for sample in schedule.take()] == [1001.0, 1002.0]
    assert schedule.take() == []


def test_next_forecast_is_foreseen():
    schedule = PredictionSchedule(1.0)
    foreseen = []
    for at in range(1000, 1012):
        schedule.add(Sample(float(at)), (300.0,))
        foreseen.append(schedule.is_due_next((300.0,)))
    assert [1000 + i for i, is_due in enumerate(foreseen) if is_due] == [1004, 1009]
