"""Score totals: scores from sums equal scores from the predictions."""

from dataclasses import fields, replace

import numpy as np
import pytest

from model.forecast.metrics import brier, calibration_error
from model.forecast.score_totals import ScoredPredictions, ScoreTotals, live_score, total_scores

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(0)
    n = 5000
    p = rng.beta(0.5, 2, n)
    y = (rng.random(n) < p**1.3).astype(float)
    y[rng.random(n) < 0.1] = np.nan
    return ScoredPredictions(
        at=1.7e9 + 60.0 * np.arange(n),
        probability=p,
        baseline=rng.choice([0.1, 0.2], n),
        warning=p > 0.6,
        high_load=rng.random(n) < 0.2,
        outcome=y,
        false_warning=rng.random(n) < 0.01,
        observed=np.where(np.isnan(y), 0.0, 60.0),
    )


def take(predictions, rows):
    return ScoredPredictions(*(getattr(predictions, f.name)[rows] for f in fields(predictions)))


def test_totals_yield_the_scores_of_the_predictions(predictions):
    scores = live_score(total_scores(predictions))
    known = take(predictions, ~np.isnan(predictions.outcome))
    y, p, base, high = known.outcome, known.probability, known.baseline, known.high_load
    assert scores.scored == len(y)
    assert scores.unknown == np.isnan(predictions.outcome).sum()
    assert scores.base_rate == pytest.approx(y.mean())
    assert scores.brier == pytest.approx(brier(y, p))
    assert scores.skill == pytest.approx(1 - brier(y, p) / brier(y, base))
    assert scores.onset_skill == pytest.approx(1 - brier(y[~high], p[~high]) / brier(y[~high], base[~high]))
    persistence = np.where(high, y[high].mean(), y[~high].mean())
    assert scores.skill_over_persistence == pytest.approx(1 - brier(y, p) / brier(y, persistence))
    assert scores.precision == pytest.approx(y[known.warning & ~high].mean())
    assert scores.recall == pytest.approx(known.warning[(y == 1) & ~high].mean())
    assert scores.calibration_error == pytest.approx(calibration_error(y, p))
    first = p < 0.1
    assert scores.reliability[0].scored == first.sum()
    assert scores.reliability[0].predicted == pytest.approx(p[first].mean())
    assert scores.reliability[0].observed == pytest.approx(y[first].mean())


def test_totals_of_parts_add_up(predictions):
    whole = total_scores(predictions)
    halves = [row for half in (slice(None, 2500), slice(2500, None)) for row in total_scores(take(predictions, half))]
    assert live_score(halves).brier == pytest.approx(live_score(whole).brier)
    assert {row.hour % 3600 for row in whole} == {0.0}
    assert len({row.hour for row in whole}) == 84


def test_no_prediction_has_no_score(predictions):
    nothing = live_score(total_scores(take(predictions, slice(0, 0))))
    assert (nothing.scored, nothing.brier, nothing.skill, nothing.precision) == (0, None, None, None)


def test_unknown_outcome_counts_as_unknown_only(predictions):
    unknown = replace(take(predictions, slice(0, 1)), outcome=np.array([np.nan]), warning=np.array([True]))
    scores = live_score(total_scores(unknown))
    assert (scores.scored, scores.unknown, scores.precision, scores.reliability) == (0, 1, None, ())


def test_skill_against_a_perfect_base_rate_is_unknown():
    row = ScoreTotals(
        hour=0.0,
        high_load=False,
        decile=0,
        unknown=0,
        scored=10,
        events=0,
        warnings=0,
        true_warnings=0,
        probability_sum=0.0,
        probability_squared_sum=0.0,
        probability_event_sum=0.0,
        baseline_squared_sum=0.0,
        baseline_event_sum=0.0,
    )
    assert live_score([row]).skill is None


def test_totals_have_the_false_warnings_and_the_observed_time(predictions):
    totals = total_scores(predictions)
    assert sum(row.false_warnings for row in totals) == predictions.false_warning.sum()
    assert sum(row.observed_seconds for row in totals) == pytest.approx(predictions.observed.sum())
