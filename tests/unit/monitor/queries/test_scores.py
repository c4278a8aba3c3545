"""Scores from the stored sums."""

from dataclasses import replace

import pytest

from monitor.queries.scores import read_scores
from storage import Onset, ScoreRow
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

HOUR = NOW - NOW % 3600
ROW = ScoreRow(
    hour=HOUR,
    high_load=False,
    decile=7,
    unknown=2,
    scored=10,
    events=4,
    warnings=5,
    true_warnings=3,
    probability_sum=7.0,
    probability_squared_sum=4.9,
    probability_event_sum=2.8,
    baseline_squared_sum=0.4,
    baseline_event_sum=0.8,
    false_warnings=2,
    observed_seconds=86_400.0,
)


def test_scores_are_computed_from_the_sums(stores):
    stores.scores.add(300.0, NOW, [ROW], [Onset(HOUR + 60, 120.0), Onset(HOUR + 90, None), Onset(HOUR + 120, 60.0)])
    (horizon,) = read_scores(stores.scores, HOUR)
    assert (horizon.score.scored, horizon.score.unknown, horizon.score.base_rate) == (10, 2, 0.4)
    assert horizon.score.brier == pytest.approx((4.9 - 2 * 2.8 + 4) / 10)
    assert (horizon.score.precision, horizon.score.recall) == (0.6, 0.75)
    events = horizon.events
    assert (events.periods, events.announced, events.lead_time_quartiles) == (3, 2, (75.0, 90.0, 105.0))
    assert (events.false_warnings, events.false_warnings_per_week) == (2, 14.0)


def test_scores_leave_out_horizons_without_predictions_in_the_period(stores):
    stores.scores.add(300.0, NOW, [ROW], [])
    stores.scores.add(900.0, NOW, [], [])
    assert [horizon.horizon for horizon in read_scores(stores.scores, HOUR)] == [300.0]
    assert read_scores(stores.scores, HOUR + 7200) == ()


def test_lead_time_is_absent_without_a_warned_period(stores):
    stores.scores.add(300.0, NOW, [ROW], [Onset(HOUR + 30, None)])
    assert read_scores(stores.scores, HOUR)[0].events.lead_time_quartiles is None


def test_false_warnings_are_unknown_while_sums_of_an_earlier_release_are_in_the_window(stores):
    old = replace(ROW, decile=1, false_warnings=None, observed_seconds=None)
    stores.scores.add(300.0, NOW, [ROW, old], [])
    # New sums of the same hour do not make the old ones known.
    stores.scores.add(300.0, NOW, [replace(ROW, decile=1)], [])
    events = read_scores(stores.scores, HOUR)[0].events
    assert (events.false_warnings, events.false_warnings_per_week) == (None, None)
