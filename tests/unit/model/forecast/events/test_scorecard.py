"""Event scorecard: hand-made warnings, and baselines at the same number of false warnings."""

import numpy as np
import pytest

from model.forecast.events import (
    BaselineInputs,
    EventScore,
    HorizonScorecard,
    baseline_scores,
    make_scorecard,
    warning_score,
)
from model.units import DAY

pytestmark = pytest.mark.unit

MINUTE = 60.0
HORIZON = 5 * MINUTE
ROWS = 14 * 1440
AT = MINUTE * np.arange(ROWS)
ONSETS = DAY * np.arange(1, 13)
"""Twelve periods of ten minutes, one a day."""


def day_minute():
    return np.arange(ROWS) % 1440


@pytest.fixture(scope="module")
def inputs():
    in_period = (day_minute() < 10) & (AT >= DAY) & (AT < 13 * DAY)
    outcomes = np.zeros(ROWS)
    for onset in ONSETS:
        outcomes[(onset - HORIZON <= AT) & (onset > AT)] = 1
    # Load rises over the five minutes before each period, and by less in the afternoon.
    load = np.full(ROWS, 0.2)
    for before in range(1, 6):
        load[day_minute() == 1440 - before] = 0.9 - 0.1 * before
    load[day_minute() == 800] = 0.7
    load[in_period] = 1.2
    last_high = np.maximum.accumulate(np.where(in_period, AT, -np.inf))
    return BaselineInputs(AT, load, last_high, in_period, outcomes[:, None])


def score(inputs, active):
    rows = ~inputs.in_period
    return warning_score(AT[rows], active[rows], inputs.outcomes[rows, 0], ONSETS, HORIZON)


def test_warnings_are_matched_to_periods(inputs):
    announcing = (day_minute() == 1437) & (AT < 5 * DAY)
    late = (day_minute() == 1439) & (AT < 2 * DAY)
    false = (day_minute() == 600) & (AT > 7 * DAY)
    model = score(inputs, announcing | late | false)
    assert (model.periods, model.announced, model.false_warnings) == (12, 5, 7)
    assert model.lead_time_quartiles == (180.0, 180.0, 180.0)
    assert model.false_warnings_per_week == pytest.approx(7 * 7 / 13.9, rel=0.01)


def test_baselines_have_at_most_as_many_false_warnings(inputs):
    model = score(inputs, (day_minute() == 1438) | ((day_minute() == 600) & (AT > 10 * DAY)))
    assert (model.announced, model.false_warnings) == (
        12,
        6,
    )  # four at noon, and two at the ends of days before no period
    baselines = baseline_scores(inputs, 0, HORIZON, model)
    assert list(baselines) == ["static threshold", "predict_linear", "persistence"]
    static = baselines["static threshold"]
    # A threshold of 0.7 or less would warn each afternoon: 0.8 is reached one minute before the onset.
    assert static.threshold == pytest.approx(0.7)
    assert static.threshold > 0.7
    assert (static.announced, static.lead_time_quartiles) == (12, (60.0, 60.0, 60.0))
    assert static.false_warnings == 2
    assert baselines["persistence"].announced == 0
    assert all(baseline.onsets == model.onsets for baseline in baselines.values())
    assert all(baseline.false_warnings <= 6 for baseline in baselines.values())


def test_few_periods_have_no_baselines(inputs):
    rows = ~inputs.in_period
    model = warning_score(AT[rows], np.zeros(rows.sum(), bool), inputs.outcomes[rows, 0], ONSETS[:4], HORIZON)
    assert (model.periods, model.announced, model.lead_time_quartiles) == (4, 0, None)
    assert baseline_scores(inputs, 0, HORIZON, model) == {}
    assert baseline_scores(inputs, 0, HORIZON, EventScore(tuple(ONSETS), (None,) * 12)) == {}


def test_any_horizon_has_the_longest_lead_time_of_each_period():
    short = EventScore((100.0, 200.0, 300.0), (10.0, None, None))
    long = EventScore((100.0, 200.0, 400.0), (30.0, 50.0, None))
    scorecard = make_scorecard([HorizonScorecard(300.0, short, {}), HorizonScorecard(900.0, long, {})])
    combined = scorecard.any_horizon
    assert combined.onsets == (100.0, 200.0, 300.0, 400.0)
    assert combined.lead_times == (30.0, 50.0, None, None)
    assert (combined.periods, combined.announced, combined.false_warnings_per_week) == (4, 2, None)


def test_rate_of_false_warnings_needs_a_day():
    assert EventScore(false_warnings=3, seconds=0.9 * DAY).false_warnings_per_week is None
    assert EventScore(false_warnings=3, seconds=3.5 * DAY).false_warnings_per_week == 6.0
    assert EventScore(seconds=7 * DAY).false_warnings_per_week is None
    assert EventScore().false_warnings_per_week is None
