"""Folds of a history."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import NotEnoughHistoryError, SkipReason
from model.training.folds import event_rows, make_folds
from model.training.task import MIN_EVENTS, OmittedHorizon
from tests.unit.model.conftest import label_rows

pytestmark = pytest.mark.unit

NAN = float("nan")
STEP = 60.0
HORIZONS = (300.0, 900.0)
ROWS = 2000


def history(onsets, length=5, rows=ROWS):
    """Return a dataset labelled by high load of `length` rows from each onset (row) on."""
    times = STEP * np.arange(rows)
    high = np.zeros(rows, bool)
    for onset in onsets:
        high[onset : onset + length] = True
    highs = times[high]
    columns = []
    for horizon in HORIZONS:
        following = np.searchsorted(highs, times + horizon, side="right") - np.searchsorted(
            highs, times, side="right"
        )
        columns.append(following > 0)
    return label_rows(np.stack(columns, axis=1).astype(np.float32), times, high.astype(float))


def test_event_rows_are_the_first_rows_of_runs_of_known_labels():
    y = np.array([1, 1, 0, 1, NAN, 1, 0, NAN, 1, 1, 0])
    assert event_rows(y).tolist() == [0, 3, 8]
    assert event_rows(np.full(3, NAN)).tolist() == []


def test_fifths_of_the_rows_with_enough_events_are_the_folds():
    folds = make_folds(history(range(50, ROWS - 20, 60)), HORIZONS, STEP)
    rows = [(len(part.train), len(part.holdout)) for part in folds.parts]
    assert rows == [(0.4 * ROWS, 0.2 * ROWS), (0.6 * ROWS, 0.2 * ROWS), (0.8 * ROWS, 0.2 * ROWS)]
    assert (folds.horizons, folds.omitted) == (HORIZONS, {})


@pytest.mark.parametrize(
    "onsets",
    [
        pytest.param(range(50, ROWS // 2, 100), id="first half"),
        pytest.param(range(ROWS - 380, ROWS - 20, 60), id="newest fifth"),
        pytest.param(range(100, ROWS, 250), id="spread"),
    ],
)
def test_few_events_in_a_part_are_shared_by_the_folds(onsets):
    dataset = history(onsets)
    folds = make_folds(dataset, HORIZONS, STEP)
    assert folds.horizons == HORIZONS
    assert folds.events == (len(onsets),) * 2
    events = [len(event_rows(part.holdout.y[:, -1])) for part in folds.parts]
    assert len(events) == 3
    assert max(events) - min(events) <= 1
    assert len(event_rows(folds.parts[0].train.y[:, -1])) == 2 * len(onsets) // 5
    assert len(folds.holdout) + len(folds.parts[0].train) == len(folds.whole) == ROWS


@given(st.lists(st.integers(0, ROWS - 10), min_size=1, max_size=40, unique=True))
def test_folds_are_disjoint_and_only_later_than_what_they_are_fitted_on(onsets):
    dataset = history(onsets)
    if len(event_rows(dataset.y[: 1 - int(HORIZONS[0] / STEP), 0])) < MIN_EVENTS + 1:
        return
    folds = make_folds(dataset, HORIZONS, STEP)
    assert set(folds.horizons) | set(folds.omitted) == set(HORIZONS)
    assert all(events >= MIN_EVENTS for events in folds.events)
    assert np.all(np.diff(folds.holdout.times) > 0)
    assert folds.whole.times.tolist() == dataset.times.tolist()
    for part in folds.parts:
        begin = part.holdout.times[0]
        assert part.train.times.tolist() == dataset.times[dataset.times < begin].tolist()
        for column, horizon in enumerate(folds.horizons):
            known = part.train.times[~np.isnan(part.train.y[:, column])]
            assert known.max() + horizon < begin
            assert {0.0, 1.0} <= set(part.train.y[:, column].tolist())


@pytest.mark.parametrize(
    ("onsets", "reason", "events"),
    [
        pytest.param([1000], SkipReason.TOO_FEW_EVENTS, 1, id="single"),
        pytest.param([100, 500, 900, 1300], SkipReason.TOO_FEW_EVENTS, 4, id="one less"),
        pytest.param([], SkipReason.NO_HIGH_LOAD, 0, id="none"),
        pytest.param(range(ROWS), SkipReason.NO_CALM_LOAD, 1, id="always"),
    ],
)
def test_history_with_too_few_events_is_refused_with_the_reason(onsets, reason, events):
    with pytest.raises(NotEnoughHistoryError) as caught:
        make_folds(history(onsets), HORIZONS, STEP)
    assert caught.value.skip_reason is reason
    assert str(caught.value) == OmittedHorizon(reason, events).message


def test_horizon_whose_periods_follow_each_other_within_it_is_omitted():
    # Pairs of periods 10 minutes apart: three events at 15 minutes, six at 5 minutes.
    folds = make_folds(history([200, 215, 800, 815, 1400, 1415]), HORIZONS, STEP)
    assert folds.horizons == HORIZONS[:1]
    assert folds.omitted == {HORIZONS[1]: OmittedHorizon(SkipReason.TOO_FEW_EVENTS, 3)}
    assert folds.parts[0].train.y.shape[1] == 1


def test_history_without_rows_has_no_known_outcome():
    with pytest.raises(NotEnoughHistoryError) as caught:
        make_folds(history([], rows=0), HORIZONS, STEP)
    assert caught.value.skip_reason is SkipReason.NO_KNOWN_OUTCOME


def test_labels_near_the_end_of_the_history_are_unknown():
    folds = make_folds(history(range(50, ROWS - 20, 60)), HORIZONS, STEP)
    for column, horizon in enumerate(HORIZONS):
        known = folds.holdout.times[~np.isnan(folds.holdout.y[:, column])]
        assert known.max() + horizon <= folds.holdout.times[-1]
