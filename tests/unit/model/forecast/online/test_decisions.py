"""Fallback decisions of one horizon."""

import pytest

from model.forecast.baselines import CURRENT_VALUE
from model.forecast.blend import EMPTY_LOAD_TABLE
from model.forecast.calibration import Calibration
from model.forecast.online.decisions import MODEL, FallbackBaseline, FallbackDecision, fallback_active
from model.forecast.online.recalibration import Recalibration

pytestmark = pytest.mark.unit

BASELINE = FallbackBaseline(CURRENT_VALUE, EMPTY_LOAD_TABLE)


def test_default_decision_lets_the_model_serve_unchanged():
    decision = FallbackDecision()
    for high in (False, True):
        assert decision.serving(high=high) == MODEL
        assert decision.slope(high=high) == 1.0
    assert decision.threshold is None


def test_decision_has_a_baseline_and_a_slope_per_load_state():
    decision = FallbackDecision(Recalibration(Calibration(0.5), Calibration(2.0)), high=BASELINE)
    assert (decision.serving(high=False), decision.serving(high=True)) == (MODEL, CURRENT_VALUE)
    assert (decision.slope(high=False), decision.slope(high=True)) == (0.5, 0.0)


@pytest.mark.parametrize(
    ("decisions", "active"),
    [
        ((), False),
        ((FallbackDecision(),), False),
        ((FallbackDecision(), FallbackDecision(calm=BASELINE)), True),
        ((FallbackDecision(high=BASELINE),), True),
    ],
)
def test_fallback_is_active_if_any_horizon_has_a_baseline(decisions, active):
    assert fallback_active(decisions) == active
