"""Host table: newest values of all hosts."""

import numpy as np
import pytest

from monitor.fleet.process.host_table import RECENT_STEPS, as_of, empty_table, updated, without
from tests.unit.monitor.fleet.fleets import COLUMNS, START, STEP, FakeForecaster, sample

pytestmark = pytest.mark.unit


def advanced(table, time, loads):
    taken = sample(time, loads)
    return updated(table, taken, FakeForecaster().advance(taken), STEP)


def test_updated_appends_new_hosts():
    table = advanced(empty_table(COLUMNS), START, {"b": 0.2})
    table = advanced(table, START + STEP, {"a": 0.4, "b": 0.3})
    assert table.hosts == ("b", "a")
    assert table.values[:, 0].tolist() == [0.3, 0.4]
    assert table.first_seen.tolist() == [START, START + STEP]
    assert table.time == START + STEP


def test_updated_leaves_the_previous_table_unchanged():
    before = advanced(empty_table(COLUMNS), START, {"a": 0.2})
    advanced(before, START + STEP, {"a": 0.9})
    assert before.values[0, 0] == 0.2
    assert before.probabilities[0, 0] == 0.2


def test_recent_probabilities_follow_the_steps():
    table = advanced(empty_table(COLUMNS), START, {"a": 0.2})
    table = advanced(table, START + 3 * STEP, {"a": 0.4})
    expected = [np.nan] * (RECENT_STEPS - 4) + [0.25, np.nan, np.nan, 0.45]
    np.testing.assert_allclose(table.recent[0], expected, rtol=1e-6)


def test_recent_probabilities_are_empty_after_a_long_gap():
    table = advanced(empty_table(COLUMNS), START, {"a": 0.2})
    table = advanced(table, START + 1000 * STEP, {"a": 0.4})
    assert np.isfinite(table.recent[0]).sum() == 1


def test_second_part_of_a_step_keeps_the_first():
    table = advanced(empty_table(COLUMNS), START, {"a": 0.2})
    table = advanced(table, START, {"b": 0.4})
    assert table.recent[:, -1] == pytest.approx([0.25, 0.45])


def test_without_removes_hosts():
    table = advanced(empty_table(COLUMNS), START, {"a": 0.2, "b": 0.3})
    table = without(table, ["a"])
    assert (table.hosts, dict(table.rows)) == (("b",), {"b": 0})
    assert table.values.shape == (1, 2)


def test_host_is_stale_after_three_steps():
    table = advanced(empty_table(COLUMNS), START, {"a": 0.2, "b": 0.3})
    table = advanced(table, START + 2 * STEP, {"b": 0.3})
    assert table.stale(STEP).tolist() == [False, False]
    table = advanced(table, START + 3 * STEP, {"b": 0.3})
    assert table.stale(STEP).tolist() == [True, False]
    assert table.predicted(STEP).tolist() == [False, True]


def test_host_is_stale_by_the_clock():
    table = advanced(empty_table(COLUMNS), START, {"a": 0.2})
    table = advanced(table, START + STEP, {"b": 0.2})
    assert as_of(table, START + 2 * STEP, STEP) is table
    later = as_of(table, START + 3 * STEP, STEP)
    assert later.stale(STEP).tolist() == [True, False]
    assert later.predicted(STEP).tolist() == [False, True]
    assert later.time == table.time
    assert as_of(table, START + 4 * STEP, STEP).stale(STEP).all()
    assert as_of(empty_table(COLUMNS), START, STEP).hosts == ()
