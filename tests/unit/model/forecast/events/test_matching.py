"""Event matching on hand-made sequences: one prediction a minute."""

import numpy as np
import pytest

from model.features.labels import Rules
from model.features.rolling_window import RollingWindow
from model.forecast.events import false_warnings, lead_times, observed_seconds, period_onsets, predicted_onsets

pytestmark = pytest.mark.unit

MINUTE = 60.0
AT = MINUTE * np.arange(60)
HORIZON = 5 * MINUTE


def mask(*minutes):
    return np.isin(np.arange(60), minutes)


def outcomes(*high_minutes):
    """Label each minute by high load at one of the given minutes within the horizon."""
    return np.array([float(any(t < high <= t + 5 for high in high_minutes)) for t in range(60)])


def test_onsets_are_the_starts_of_periods_after_calm_load():
    window = RollingWindow(("cpu_usage",), Rules(((("cpu_usage", 0.8),),), 60.0), MINUTE)
    cpu = np.full(30, 0.1)
    cpu[5:8] = 0.9  # high from minute 5 on, because each sample covers the minute before it
    cpu[9:11] = 0.9  # follows a dip of one minute
    cpu[20] = 0.9
    window.extend(AT[:30], cpu[:, None])
    onsets = period_onsets(window.times, window.state, window.period_start)
    assert onsets.tolist() == [300.0, 540.0, 1200.0]


def test_onset_without_a_prediction_in_the_horizon_before_it_is_left_out():
    at = MINUTE * np.array([0.0, 1.0, 30.0])
    onsets = MINUTE * np.array([0.0, 4.0, 7.0, 30.0, 35.0, 36.0])
    assert predicted_onsets(onsets, at, HORIZON).tolist() == [240.0, 2100.0]


def test_lead_time_starts_at_the_first_warning_within_the_horizon():
    active = mask(2, 3, 8, 20, 21, 22)
    onsets = MINUTE * np.array([10.0, 15.0, 22.0, 40.0])
    leads = lead_times(onsets, AT, active, HORIZON)
    # The warnings at minutes 2 and 3 are too early for the first period, the one at 8 too early for the second. The
    # warning at the onset itself does not announce it.
    np.testing.assert_array_equal(leads, [120.0, np.nan, 120.0, np.nan])


def test_warning_exactly_one_horizon_before_the_onset_announces_it():
    assert lead_times(np.array([600.0]), AT, mask(5), HORIZON).tolist() == [300.0]
    assert np.isnan(lead_times(np.array([600.0]), AT, mask(4), HORIZON)).all()


def test_warning_is_false_if_no_high_load_follows_its_end():
    active = mask(1, 2, 10, 11, 12, 30)
    ends = false_warnings(AT, active, outcomes(16, 33), HORIZON)
    assert np.flatnonzero(ends).tolist() == [2]


def test_warnings_within_one_horizon_are_one_false_warning():
    assert np.flatnonzero(false_warnings(AT, mask(1, 6, 11, 17), outcomes(), HORIZON)).tolist() == [11, 17]


def test_warning_with_an_unknown_outcome_is_not_false():
    unknown = outcomes()
    unknown[2] = np.nan
    assert not false_warnings(AT, mask(1, 2), unknown, HORIZON).any()


def test_observed_time_leaves_out_gaps_and_unknown_outcomes():
    at = MINUTE * np.array([0.0, 1.0, 2.0, 3.0, 20.0, 21.0, 22.0])
    known = np.array([0.0, 1.0, np.nan, 0.0, 0.0, 0.0, np.nan])
    assert observed_seconds(at, known).tolist() == [0.0, 60.0, 0.0, 60.0, 0.0, 60.0, 0.0]
    assert observed_seconds(np.empty(0), np.empty(0)).tolist() == []
