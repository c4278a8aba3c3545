"""Load states of many hosts: absent hosts keep their state."""

import numpy as np
import pytest

from model.features import load_states as columns
from model.features.hosts.load_states import HostStates

pytestmark = pytest.mark.unit


def test_absent_host_keeps_its_state():
    states = HostStates(2, 60.0, 120.0)
    for minute in range(4):
        states.advance(60.0 * minute, np.array([1.0, 1.0]), np.array([True, minute < 3]))
    assert states.newest.tolist() == [180.0, 120.0]
    assert states.values[columns.STATE].tolist() == [1, 1]
    states.advance(240.0, np.array([0.5, np.nan]), np.array([True, True]))
    assert states.values[columns.STATE][0] == 0
    assert np.isnan(states.values[columns.STATE][1])


def test_sample_after_a_gap_covers_one_median_interval():
    states = HostStates(1, 60.0, 120.0)
    covered = [states.advance(time, np.array([0.5]), np.ones(1, bool))[0] for time in (0.0, 60.0, 180.0, 1800.0)]
    assert covered == [60.0, 60.0, 120.0, 120.0]
