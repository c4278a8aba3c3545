"""Time slots and periods of the recent history."""

import numpy as np
import pytest

from monitor.queries.history import (
    held_predictions,
    high_load_periods,
    joined_periods,
    merged_predictions,
    slot_length,
)

pytestmark = pytest.mark.unit

NONE = -np.inf


@pytest.mark.parametrize(
    ("wanted", "interval", "length"), [(60, 5, 60), (61, 5, 120), (1, 5, 5), (1, 7, 10), (1e9, 5, 86400)]
)
def test_slot_length_is_the_next_round_one(wanted, interval, length):
    assert slot_length(wanted, interval) == length


def test_high_load_periods_have_their_first_and_last_time():
    times = np.arange(8.0)
    starts = np.array([NONE, 1, 1, 1, NONE, 5, 6, 6])
    assert high_load_periods(times, starts, 2.0) == ((2.0, 3.0), (5.0, 5.0), (6.0, 7.0))
    assert high_load_periods(times, np.full(8, NONE), 0.0) == ()


def test_joined_periods_do_not_overlap():
    starts = np.array([0.0, 2.0, 5.0, 9.0])
    assert joined_periods(starts, starts + 3.0, 1.0, 11.0) == ((1.0, 8.0), (9.0, 11.0))
    assert joined_periods(np.empty(0), np.empty(0), 1.0, 11.0) == ()


def held(values, step, interval, horizon=300.0):
    """Return the first column of held predictions; None for an empty slot."""
    table = np.array([[np.nan if value is None else value] * 4 for value in values])
    column = held_predictions({horizon: table}, step, interval)[horizon][:, 0]
    return [None if np.isnan(value) else value for value in column.tolist()]


def test_prediction_stands_in_the_slots_before_the_next_one():
    assert held([0.1, None, 0.2, None, None, 0.3], 2.0, 1.0) == [0.1, 0.1, 0.2, 0.2, 0.2, 0.3]
    assert held([None, 0.1, *[None] * 12], 5.0, 5.0, 3600.0) == [None, *[0.1] * 13]


def test_prediction_does_not_stand_in_a_gap():
    assert held([0.1, *[None] * 5], 2.0, 1.0) == [0.1] * 4 + [None] * 2
    assert held([0.1, None, 0.2], 5.0, 5.0) == [0.1, None, 0.2]
    assert held_predictions({}, 1.0, 1.0) == {}


def test_prediction_stands_as_long_as_those_of_the_newest_model():
    tables = {60.0: np.array([[0.1], *[[np.nan]] * 14]), 3600.0: np.array([[np.nan], [0.2], *[[np.nan]] * 13])}
    assert np.isfinite(held_predictions(tables, 5.0, 1.0)[3600.0][:, 0]).sum() == 13
    empty = {60.0: np.full((3, 1), np.nan)}
    assert np.isnan(held_predictions(empty, 5.0, 1.0)[60.0]).all()


def test_replayed_predictions_fill_slots_without_live_ones():
    live = {300.0: np.array([[0.5, 0.1], [np.nan, np.nan], [np.nan, np.nan]])}
    replayed = {300.0: np.array([[0.9, 0.2], [0.8, 0.2], [np.nan, np.nan]]), 60.0: np.array([[0.1, 0.2]] * 3)}
    merged = merged_predictions(live, replayed)
    assert list(merged) == [60.0, 300.0]
    assert merged[300.0][:2].tolist() == [[0.5, 0.1, 0.0], [0.8, 0.2, 1.0]]
    assert np.isnan(merged[300.0][2]).all()
    assert merged[60.0][:, 2].tolist() == [1.0, 1.0, 1.0]
    assert merged_predictions(live, {})[300.0][0].tolist() == [0.5, 0.1, 0.0]
