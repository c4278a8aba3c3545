"""Scores from sums are the scores from the predictions themselves."""

import numpy as np
import pytest

from model.forecast.metrics import brier, calibration_error
from model.forecast.score_totals import ScoreTotals, live_score, sum_scores

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(0)
    n = 5000
    at = 1.7e9 + 60.0 * np.arange(n)
    p = rng.beta(0.5, 2, n)
    y = (rng.random(n) < p**1.3).astype(float)
    y[rng.random(n) < 0.1] = np.nan
    return {
        "at": at,
        "p": p,
        "base": rng.choice([0.1, 0.2], n),
        "warned": p > 0.6,
        "high": rng.random(n) < 0.2,
        "y": y,
    }


def test_sums_give_the_scores_of_the_predictions(predictions):
    found = live_score(sum_scores(**predictions))
    known = ~np.isnan(predictions["y"])
    y, p, base = (predictions[name][known] for name in ("y", "p", "base"))
    warned, high = predictions["warned"][known], predictions["high"][known]
    assert found.scored == known.sum()
    assert found.unknown == (~known).sum()
    assert found.base_rate == pytest.approx(y.mean())
    assert found.brier == pytest.approx(brier(y, p))
    assert found.skill == pytest.approx(1 - brier(y, p) / brier(y, base))
    assert found.onset_skill == pytest.approx(1 - brier(y[~high], p[~high]) / brier(y[~high], base[~high]))
    persistence = np.where(high, y[high].mean(), y[~high].mean())
    assert found.skill_over_persistence == pytest.approx(1 - brier(y, p) / brier(y, persistence))
    assert found.precision == pytest.approx(y[warned].mean())
    assert found.recall == pytest.approx(warned[y == 1].mean())
    assert found.calibration_error == pytest.approx(calibration_error(y, p))
    first = p < 0.1
    assert found.reliability[0].scored == first.sum()
    assert found.reliability[0].said == pytest.approx(p[first].mean())
    assert found.reliability[0].came == pytest.approx(y[first].mean())


def test_hours_added_up_are_the_same_as_all_at_once(predictions):
    whole = sum_scores(**predictions)
    halves = [
        row
        for half in (slice(None, 2500), slice(2500, None))
        for row in sum_scores(**{name: values[half] for name, values in predictions.items()})
    ]
    assert live_score(halves).brier == pytest.approx(live_score(whole).brier)
    assert {row.hour % 3600 for row in whole} == {0.0}
    assert len({row.hour for row in whole}) == 84


def test_nothing_known_gives_no_figure():
    nothing = live_score([])
    assert (nothing.scored, nothing.brier, nothing.skill, nothing.precision) == (0, None, None, None)
    unknown = sum_scores(
        *(np.array([v]) for v in (0.0, 0.5, 0.1)), np.array([True]), np.array([False]), np.array([np.nan])
    )
    found = live_score(unknown)
    assert (found.scored, found.unknown, found.precision, found.reliability) == (0, 1, None, ())
    assert sum_scores(*(np.empty(0),) * 6) == []


def test_skill_where_nothing_ever_happened_and_the_base_rate_said_so_is_unknown():
    row = ScoreTotals(0.0, False, 0, 0, 10, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert live_score([row]).skill is None
