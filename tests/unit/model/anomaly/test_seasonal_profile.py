"""Seasonal profile: means by half hour of the day, and residuals of each day from the other days."""

import numpy as np
import pytest

from model.anomaly.seasonal_profile import PROFILE_SLOT, PROFILE_SLOTS, fit_seasonal_profile
from model.units import DAY

pytestmark = pytest.mark.unit

STEP = 600.0
PER_DAY = round(DAY / STEP)
START = 20_000 * DAY


def fit(z, present=None):
    times = START + STEP * np.arange(len(z))
    return fit_seasonal_profile(times, z, np.ones(z.shape, bool) if present is None else present)


def test_profile_follows_the_time_of_day():
    wave = np.sin(2 * np.pi * np.arange(3 * PER_DAY) / PER_DAY)
    profile, residuals = fit(wave[:, None])
    assert profile.means.shape == (PROFILE_SLOTS, 1)
    assert profile.at(START + DAY / 4)[0] == pytest.approx(1.0, abs=0.02)
    assert profile.at(START + 9.75 * DAY)[0] == pytest.approx(-1.0, abs=0.02)
    assert np.abs(residuals).max() < 0.2


def test_residuals_of_a_day_do_not_depend_on_its_own_values():
    z = np.zeros((4 * PER_DAY, 2))
    z[PER_DAY : 2 * PER_DAY, 0] = 3.0
    _, residuals = fit(z)
    assert residuals[PER_DAY : 2 * PER_DAY, 0] == pytest.approx(3.0)
    assert residuals[:PER_DAY, 0] == pytest.approx(-1.0)
    assert not residuals[:, 1].any()


def test_missing_values_are_left_out_and_an_empty_slot_has_the_mean():
    z = np.ones((2 * PER_DAY, 1))
    z[:PER_DAY] = 3.0
    present = np.ones(z.shape, bool)
    rows_per_slot = round(PROFILE_SLOT / STEP)
    present[:rows_per_slot] = False
    present[PER_DAY : PER_DAY + 2 * rows_per_slot] = False
    profile, _ = fit(z, present)
    assert profile.means[0, 0] == pytest.approx(z[present].mean())
    assert profile.means[1, 0] == pytest.approx(3.0)
    assert profile.means[2, 0] == pytest.approx(2.0)
