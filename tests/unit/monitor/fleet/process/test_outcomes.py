"""Outcomes: predictions compared with the high load that followed."""

from dataclasses import replace

import numpy as np
import pytest

from monitor.fleet.process.outcomes import OutcomeScorer
from tests.unit.monitor.fleet.fleets import HORIZONS, START, STEP, FakeForecaster, sample

pytestmark = pytest.mark.unit

LOW, WARNED, HIGH = 0.1, 0.6, 0.95


def scored(loads, *, gaps=(), live=True):
    """Return the totals of one host for the horizon of 5 steps, after one step per load."""
    scorer = OutcomeScorer(HORIZONS, STEP)
    for number, load in enumerate(loads):
        if number not in gaps:
            scorer.advance(FakeForecaster().advance(sample(START + number * STEP, {"a": load})), live=live)
    return [score for score in scorer.take() if score.horizon == 300.0]


def test_prediction_is_scored_once_its_horizon_has_passed():
    assert scored([LOW] * 5) == []
    (score,) = scored([LOW] * 7)
    assert (score.scored, score.events, score.unknown) == (2, 0, 0)
    assert score.brier_sum == pytest.approx(2 * LOW**2)
    assert score.baseline_brier_sum == pytest.approx(2 * 0.1**2)


def test_onset_within_the_horizon_is_an_event():
    (score,) = scored([LOW, WARNED, LOW, LOW, LOW, HIGH, LOW])
    assert (score.scored, score.events, score.warnings, score.true_warnings) == (2, 2, 1, 1)
    assert score.brier_sum == pytest.approx((1 - LOW) ** 2 + (1 - WARNED) ** 2, abs=1e-6)


def test_high_load_at_the_time_of_the_prediction_is_no_event():
    (score,) = scored([HIGH, HIGH, LOW, LOW, LOW, LOW])
    assert (score.scored, score.events, score.outcome_sum) == (1, 0, 1)


def test_false_warning_is_counted():
    (score,) = scored([WARNED, *[LOW] * 5])
    assert (score.warnings, score.true_warnings) == (1, 0)


def test_outcome_is_unknown_with_too_few_samples():
    (score,) = scored([LOW] * 6, gaps=(2, 3))
    assert (score.scored, score.unknown) == (0, 1)


def test_outcome_with_a_short_gap_is_known():
    (score,) = scored([LOW] * 6, gaps=(2,))
    assert (score.scored, score.unknown) == (1, 0)


def test_late_predictions_are_not_scored():
    assert scored([LOW] * 8, live=False) == []


def test_totals_are_hourly():
    scores = scored([LOW] * 100)
    hours = [score.hour % 3600 for score in scores]
    assert hours == [0.0] * len(hours)
    assert len(scores) >= 2
    assert sum(score.scored for score in scores) == 95


def test_take_empties_the_totals():
    scorer = OutcomeScorer(HORIZONS, STEP)
    for number in range(7):
        scorer.advance(FakeForecaster().advance(sample(START + number * STEP, {"a": LOW})), live=True)
    assert len(scorer.take()) == 1
    assert scorer.take() == ()


def test_removed_and_new_hosts_keep_the_rows_of_the_others():
    scorer = OutcomeScorer(HORIZONS, STEP)
    loads = {"a": LOW, "b": WARNED}
    for number in range(12):
        if number == 3:
            scorer.remove(["a"])
            loads = {"b": WARNED, "c": LOW}
        scorer.advance(FakeForecaster().advance(sample(START + number * STEP, loads)), live=True)
    totals = {score.host: score for score in scorer.take() if score.horizon == 300.0}
    assert {host: (score.scored, score.warnings) for host, score in totals.items()} == {"b": (7, 7), "c": (4, 0)}


def test_second_part_of_a_step_scores_nothing_twice():
    scorer = OutcomeScorer(HORIZONS, STEP)
    for number in range(6):
        scorer.advance(FakeForecaster().advance(sample(START + number * STEP, {"a": LOW})), live=True)
    scorer.advance(FakeForecaster().advance(sample(START + 5 * STEP, {"b": LOW})), live=True)
    assert [(score.host, score.scored) for score in scorer.take()] == [("a", 1)]


def test_prediction_without_a_base_rate_has_no_skill():
    scorer = OutcomeScorer(HORIZONS, STEP)
    for number, load in enumerate([LOW, WARNED, LOW, LOW, LOW, HIGH, LOW]):
        forecast = FakeForecaster().advance(sample(START + number * STEP, {"a": load}))
        unknown = np.full_like(forecast.base_rates, np.nan)
        scorer.advance(replace(forecast, base_rates=unknown), live=True)
    score = next(score for score in scorer.take() if score.horizon == 300.0)
    assert score.scored == 2
    assert score.baseline_brier_sum == pytest.approx(score.brier_sum)
