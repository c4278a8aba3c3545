"""Scores of a backtest result."""

from dataclasses import replace

import numpy as np
import pytest

from model.forecast.baselines import CLIMATOLOGY
from model.training.backtest_result import BacktestResult
from model.training.evaluation import CANDIDATE

pytestmark = pytest.mark.unit


def make_result(probabilities):
    y = np.array([0.0, 1.0, np.nan, 1.0, 0.0])[:, None]
    return BacktestResult(
        horizons=(60.0,),
        times=np.arange(5.0),
        probabilities=np.asarray(probabilities, float)[:, None],
        warnings=np.zeros((5, 1)),
        labels=y,
        state=np.array([0.0, 0.0, 0.0, 1.0, 0.0]),
        load_index=np.zeros(5),
        period_start=np.array([-np.inf, -np.inf, -np.inf, 3.0, -np.inf]),
        last_high=np.array([-np.inf, -np.inf, -np.inf, 3.0, 3.0]),
        base_rates=np.array([0.4]),
        onset_rates=np.array([0.2]),
        attempts=(),
        baselines={CLIMATOLOGY: np.full((5, 1), 0.4)},
    )


def test_scores_use_samples_with_known_outcome_and_prediction():
    (scores,) = make_result([0.1, 0.8, 0.5, np.nan, 0.2]).scores(onset=False)
    assert scores[CANDIDATE].brier == pytest.approx((0.1**2 + 0.2**2 + 0.2**2) / 3)
    assert scores[CLIMATOLOGY].brier == pytest.approx((0.4**2 + 0.6**2 + 0.4**2) / 3)


def test_onset_scores_use_samples_while_load_is_not_high():
    (scores,) = make_result([0.1, 0.8, 0.5, 0.9, 0.2]).scores(onset=True)
    assert scores[CANDIDATE].brier == pytest.approx((0.1**2 + 0.2**2 + 0.2**2) / 3)
    assert scores[CLIMATOLOGY].brier == pytest.approx((0.2**2 + 0.8**2 + 0.2**2) / 3)
    assert scores[CLIMATOLOGY].brier_skill == pytest.approx(0)


def test_scores_are_empty_without_predictions():
    assert make_result([np.nan] * 5).scores(onset=False) == ({},)


def test_baseline_without_a_known_rate_is_left_out():
    result = make_result([0.1, 0.8, 0.5, 0.9, 0.2])
    result.baselines[CLIMATOLOGY][:] = np.nan
    result.base_rates[:] = np.nan
    (scores,) = result.scores(onset=False)
    assert scores.keys() == {CANDIDATE}
    assert np.isnan(scores[CANDIDATE].brier_skill)
    assert np.isfinite(scores[CANDIDATE].brier)


def test_scorecard_counts_only_rows_with_a_prediction():
    result = make_result([0.1, np.nan, 0.5, 0.9, 0.2])
    result = replace(result, horizons=(2.0,), warnings=np.array([0.0, 1.0, 1.0, 0.0, 1.0])[:, None])
    (horizon,) = result.scorecard().horizons
    # The warning at 1 has no prediction, and the one at 4 ends without high load.
    assert (horizon.model.onsets, horizon.model.lead_times) == ((3.0,), (1.0,))
    assert (horizon.model.false_warnings, horizon.baselines) == (1, {})
