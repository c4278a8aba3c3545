"""State machine of high load: periods and their limits."""

import numpy as np
import pytest

from model.features import load_states

pytestmark = pytest.mark.unit

NAN = float("nan")


def run(index, sustained=30.0, step=10.0, elapsed=None):
    times = np.cumsum(np.full(len(index), step) if elapsed is None else np.array(elapsed, float))
    gaps = np.diff(times, prepend=-np.inf)
    gaps[gaps > 2.5 * step] = np.inf
    samples = times, gaps, np.full(len(index), step), np.array(index, float)
    return load_states.extend_states(load_states.START, False, samples, sustained)


def periods(index, **options):
    return (run(index, **options)[:, load_states.PERIOD_START] > -np.inf).astype(int).tolist()


def test_period_starts_with_the_state_and_survives_a_short_dip():
    index = [0, 1, 1, 1, 0.5, 0.5, 1, 0.5, 0.5, 0.5, 0.5]
    states = run(index)
    assert states[:, load_states.STATE].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert periods(index) == [0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0]
    assert set(states[3:9, load_states.PERIOD_START]) == {40.0}


def test_period_survives_a_missing_sample_and_ends_after_as_many_as_the_sustained_time():
    assert periods([0, 1, 1, 1, NAN, 1, 1]) == [0, 0, 0, 1, 1, 1, 1]
    assert periods([0, 1, 1, 1, NAN, NAN, NAN, 1]) == [0, 0, 0, 1, 1, 1, 0, 0]


def test_period_ends_at_once_if_a_sample_covers_the_sustained_time():
    assert periods([0, 1, 0, 1, 1], sustained=10.0) == [0, 1, 0, 1, 1]


def test_period_ends_at_a_gap():
    elapsed = [10, 10, 10, 10, 10, 500, 10, 10, 10]
    assert periods([0, 1, 1, 1, 1, 1, 1, 1, 1], elapsed=elapsed) == [0, 0, 0, 1, 1, 0, 0, 0, 1]


def test_late_sample_does_not_delay_the_state():
    elapsed = [10, 10, 9.9, 10, 10]
    assert run([0, 1, 1, 1, 0], elapsed=elapsed)[:, load_states.STATE].tolist() == [0, 0, 0, 1, 0]
