"""Decision table: recalibration, fallback and thresholds of many hosts at once."""

import numpy as np
import pytest

from model.forecast.baselines import CURRENT_VALUE, HOLT_WINTERS
from model.forecast.blend import LoadTable, fit_load_table
from model.forecast.calibration import Calibration
from model.forecast.log_odds import logit, sigmoid
from model.forecast.online.decision_table import DecisionTable
from model.forecast.online.decisions import FallbackBaseline, FallbackDecision
from model.forecast.online.recalibration import Recalibration
from model.forecast.smoothing import SMOOTHINGS

pytestmark = pytest.mark.unit


def no_forecasts():
    raise AssertionError("no decision needs a Holt-Winters forecast")


def apply(decisions, probabilities, high, index, forecasts=no_forecasts):
    """Apply the decisions of one host to rows."""
    table = DecisionTable([decisions], (0.5,) * len(decisions))
    return table.apply(np.asarray(probabilities)[None], np.asarray(high)[None], np.asarray(index)[None], forecasts)[0]


def test_identity_keeps_the_bits_of_the_probabilities():
    p = np.array([[0.2, 0.3], [1e-9, 1.0]])
    assert apply([FallbackDecision()] * 2, p, [False, True], [0.1, 0.2]).tobytes() == p.tobytes()


def test_each_load_state_has_its_own_recalibration():
    recalibration = Recalibration(Calibration(0.5, -0.5), Calibration(2.0, 0.0))
    p = np.array([[0.7], [0.7]])
    high = np.array([False, True])
    assert apply([FallbackDecision(recalibration)], p, high, [0.1, 1.1])[:, 0] == pytest.approx(
        recalibration(p[:, 0], high)
    )


def test_published_probabilities_do_not_decrease_with_the_horizon():
    up, down = Recalibration(Calibration(1.0, 2.0)), Recalibration(Calibration(1.0, -2.0))
    published = apply([FallbackDecision(up), FallbackDecision(down)], [[0.3, 0.4]], [False], [0.1])
    assert published[0, 1] >= published[0, 0] == pytest.approx(sigmoid(logit(np.array([0.3])) + 2)[0])


def test_baseline_serves_in_its_load_state_only():
    rows = np.linspace(0, 1, 100)
    table = fit_load_table(rows, (rows > 0.5).astype(float))
    decisions = [FallbackDecision(calm=FallbackBaseline(CURRENT_VALUE, table)), FallbackDecision()]
    index = np.array([0.1, 0.5, 0.9, np.nan, 0.9])
    high = np.array([False, False, False, False, True])
    published = apply(decisions, np.full((5, 2), 0.4), high, index)
    assert published[:4, 0] == pytest.approx(sigmoid(table(index[:4])))
    assert published[4, 0] == 0.4
    assert (np.diff(published, axis=1) >= 0).all()
    assert published[2, 0] > 0.9


def test_interpolation_equals_that_of_numpy():
    rng = np.random.default_rng(0)
    for points in (1, 2, 7, 20):
        table = LoadTable(np.sort(rng.random(points)), np.sort(rng.normal(size=points)), -1.0)
        index = np.concatenate((rng.uniform(-0.5, 1.5, 50), table.scores, [np.nan]))
        decision = FallbackDecision(calm=FallbackBaseline(CURRENT_VALUE, table))
        published = apply([decision], np.full((len(index), 1), 0.4), np.zeros(len(index), bool), index)
        assert published[:, 0] == pytest.approx(sigmoid(table(index)), abs=1e-12)


def test_holt_winters_reads_the_forecasts_of_its_smoothing_and_horizon():
    table = LoadTable(np.array([0.0, 1.0]), np.array([-2.0, 2.0]), 0.0)
    forecasts = np.random.default_rng(0).random((1, len(SMOOTHINGS), 3, 2))
    decisions = [FallbackDecision(), FallbackDecision(calm=FallbackBaseline(HOLT_WINTERS, table, 4))]
    published = apply(decisions, np.full((3, 2), 1e-3), np.zeros(3, bool), np.zeros(3), lambda: forecasts)
    assert published[:, 0].tolist() == [1e-3] * 3
    assert published[:, 1] == pytest.approx(sigmoid(table(forecasts[0, 4, :, 1])))


def test_hosts_have_their_own_decisions():
    table = LoadTable(np.array([0.0]), np.array([0.0]), 0.0)
    decisions = [
        [FallbackDecision()],
        [FallbackDecision(Recalibration(Calibration(1.0, 1.0)))],
        [FallbackDecision(calm=FallbackBaseline(CURRENT_VALUE, table))],
    ]
    published = DecisionTable(decisions, (0.5,)).apply(
        np.full((3, 2, 1), 0.3), np.zeros((3, 2), bool), np.full((3, 2), 0.2), no_forecasts
    )
    shifted = float(sigmoid(logit(np.array(0.3)) + 1))
    assert published[:, :, 0] == pytest.approx(np.array([[0.3] * 2, [shifted] * 2, [0.5] * 2]))


def test_thresholds_apply_to_published_probabilities():
    recalibration = Recalibration(Calibration(0.5, -0.5), Calibration(2.0, 0.0))
    decision = FallbackDecision(recalibration)
    start, end = DecisionTable([[decision, decision]], (0.7, 1.0)).thresholds(np.array([[False, True]]))
    assert start[0, :, 0].tolist() == [0.7, 0.7]
    assert (end[0, :, 0] < 0.7).all()
    assert np.isinf(start[0, :, 1]).all()
    assert np.isinf(end[0, :, 1]).all()
