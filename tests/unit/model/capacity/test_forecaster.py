"""Capacity forecaster: probabilities and full times of disks that fill in different ways."""

import numpy as np
import pytest

from model.capacity.forecaster import CapacityForecaster, daily_trend, last_steps
from model.capacity.tasks import FILESYSTEM, MEMORY
from model.capacity.usage_grid import UsageGrid, usage_grid
from model.units import DAY, HOUR, MINUTE

pytestmark = pytest.mark.unit

STEP = 300.0
PER_DAY = 288


def grid_of(values):
    values = np.asarray(values, float)
    return UsageGrid(STEP, values, values)


def forecast(values, size=1.0, task=FILESYSTEM):
    grid = grid_of(values)
    return CapacityForecaster(task).forecast(grid, size, len(grid.values) * STEP)


def steady(days, per_day, end, noise=0.0):
    n = round(days * PER_DAY)
    rising = end - per_day / PER_DAY * np.arange(n)[::-1]
    return rising + np.random.default_rng(0).normal(0, noise, n)


def sawtooth(days, amplitude, base):
    phase = np.arange(round(days * PER_DAY)) % PER_DAY / PER_DAY
    return base + amplitude * phase


def test_forecaster_announces_a_disk_that_fills_steadily():
    full_in_half_a_day = forecast(steady(10, 0.1, 0.9))
    assert full_in_half_a_day.probability > 0.9
    assert full_in_half_a_day.full_seconds == pytest.approx(DAY / 2, rel=0.1)
    full_in_nine_days = forecast(steady(10, 0.05, 0.5))
    assert full_in_nine_days.probability < 0.02
    assert full_in_nine_days.full_seconds == pytest.approx(9 * DAY, rel=0.1)


def test_forecaster_of_a_daily_sawtooth_expects_the_peak_of_the_other_days():
    below = forecast(sawtooth(10.4, 0.3, 0.6))
    above = forecast(sawtooth(10.4, 0.36, 0.6))
    assert below.probability < 0.15
    assert below.full_seconds is None
    assert above.probability > 0.85
    assert DAY / 2 < above.full_seconds < DAY


def test_predict_linear_gives_a_false_alarm_on_the_sawtooth():
    assert forecast(sawtooth(10.4, 0.3, 0.6)).predict_linear == 1


def test_forecaster_announces_a_sudden_fill_within_its_first_hour():
    values = np.concatenate((np.full(8 * PER_DAY, 0.4), 0.4 + np.arange(1, 13) * 0.02))
    quiet = forecast(values[:-12])
    sudden = forecast(values)
    assert quiet.probability < 0.05
    assert sudden.probability > 0.5
    assert HOUR < sudden.full_seconds < 6 * HOUR


def test_forecaster_of_a_noisy_or_shrinking_disk_expects_nothing():
    noisy = forecast(0.8 + np.random.default_rng(0).normal(0, 0.003, 8 * PER_DAY))
    shrinking = forecast(steady(8, -0.02, 0.7))
    for quiet in (noisy, shrinking):
        assert quiet.probability < 0.02
        assert quiet.full_seconds is None


def test_forecaster_of_a_resized_disk_uses_its_present_size():
    used = steady(8, 0.08e12, 0.9e12)
    assert forecast(used, size=1e12).probability > 0.9
    grown = forecast(used, size=2e12)
    assert grown.probability < 0.02
    assert grown.full_seconds == pytest.approx((1.9 - 0.9) / 0.08 * DAY, rel=0.1)


def test_forecaster_continues_after_a_disk_was_unmounted():
    values = steady(8, 0.1, 0.88)
    values[-3 * PER_DAY : -2 * PER_DAY] = np.nan
    assert forecast(values).probability > 0.9


def test_forecaster_at_the_limit_is_certain_and_without_history_silent():
    full = forecast([0.5, 0.96])
    assert full.probability == 1
    assert full.full_seconds == 0
    assert forecast(np.full(10, 0.5)) is None
    assert forecast(np.full(24, 0.5)).probability < 0.05


def test_forecaster_of_memory_announces_a_leak_and_has_no_full_time():
    leak = forecast(0.3 + np.arange(24) * 0.025, task=MEMORY)
    assert leak.probability > 0.7
    assert leak.full_seconds is None


def test_forecaster_uses_peaks_between_its_values():
    values = np.full(300, 0.5)
    peaks = values.copy()
    peaks[::6] = 0.97
    spiky = CapacityForecaster(MEMORY).forecast(UsageGrid(STEP, values, peaks), 1.0, 0.0)
    assert spiky.probability > 0.7
    assert forecast(values, task=MEMORY).probability < 0.02


def test_forecaster_fits_again_when_a_fit_is_old_or_the_clock_went_back():
    forecaster = CapacityForecaster(FILESYSTEM)
    grid = grid_of(np.full(2 * PER_DAY, 0.5))
    for now, fitted_at in ((0.0, 0.0), (5 * HOUR, 0.0), (6 * HOUR, 6 * HOUR), (HOUR, HOUR)):
        forecaster.forecast(grid, 1.0, now)
        assert forecaster.fitted_at == fitted_at


def test_daily_trend_ignores_the_sawtooth_and_one_bad_day():
    values = sawtooth(10, 0.3, 0.2) + np.arange(10 * PER_DAY) * 0.01 / PER_DAY
    values[-1 - 3 * PER_DAY] = 0.9
    assert daily_trend(grid_of(values)) * DAY == pytest.approx(0.01)
    assert daily_trend(grid_of(values[:100])) == 0


def test_last_steps_keeps_the_newest():
    grid = usage_grid(np.arange(5) * STEP, np.arange(5.0), np.arange(5.0), STEP)
    np.testing.assert_array_equal(last_steps(grid, grid.steps(10 * MINUTE)).values, [3, 4])
