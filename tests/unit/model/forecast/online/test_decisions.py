"""Fallback decisions of one horizon."""

import pytest

from model.forecast.baselines import CURRENT_VALUE, PERSISTENCE
from model.forecast.blend import EMPTY_LOAD_TABLE
from model.forecast.calibration import Calibration
from model.forecast.online.decisions import FallbackBaseline, FallbackDecision, fallback_active
from model.forecast.online.recalibration import Recalibration
from model.serving import PRETRAINED_MODEL, REDUCED_MODEL, Serving, ServingReason

pytestmark = pytest.mark.unit

BASELINE = FallbackBaseline(CURRENT_VALUE, EMPTY_LOAD_TABLE)


def test_default_decision_lets_the_model_serve_unchanged():
    decision = FallbackDecision()
    for high in (False, True):
        assert decision.serving(high=high) == Serving()
        assert decision.slope(high=high) == 1.0


def test_decision_has_a_baseline_and_a_slope_per_load_state():
    decision = FallbackDecision(Recalibration(Calibration(0.5), Calibration(2.0)), high=BASELINE)
    assert decision.serving(high=False) == Serving()
    assert decision.serving(high=True) == Serving(CURRENT_VALUE, ServingReason.BASELINE_MORE_ACCURATE)
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


@pytest.mark.parametrize("reason", [ServingReason.HORIZON_NOT_FITTED, ServingReason.HOST_NOT_FITTED])
def test_pretrained_model_serves_what_was_not_fitted(reason):
    assert FallbackDecision().serving(high=False, pretrained=reason) == Serving(PRETRAINED_MODEL, reason)
    floor = Serving(PERSISTENCE, ServingReason.HIGH_LOAD_FLOOR)
    assert FallbackDecision().serving(high=True, raised=True, pretrained=reason) == floor
    more_accurate = Serving(CURRENT_VALUE, ServingReason.BASELINE_MORE_ACCURATE)
    assert FallbackDecision(high=BASELINE).serving(high=True, pretrained=reason) == more_accurate


OUTSIDE = ("memory_usage",)


@pytest.mark.parametrize(
    ("baseline", "raised", "outside", "expected"),
    [
        (None, False, OUTSIDE, Serving(REDUCED_MODEL, ServingReason.INPUT_OUT_OF_RANGE, OUTSIDE)),
        (None, True, OUTSIDE, Serving(PERSISTENCE, ServingReason.INPUT_OUT_OF_RANGE, OUTSIDE)),
        (None, True, (), Serving(PERSISTENCE, ServingReason.HIGH_LOAD_FLOOR)),
        (BASELINE, False, OUTSIDE, Serving(CURRENT_VALUE, ServingReason.BASELINE_MORE_ACCURATE, OUTSIDE)),
        (BASELINE, True, (), Serving(PERSISTENCE, ServingReason.HIGH_LOAD_FLOOR)),
    ],
)
def test_reason_of_what_serves(baseline, raised, outside, expected):
    decision = FallbackDecision(high=baseline)
    serving = decision.serving(high=True, raised=raised, outside=outside)
    assert serving == expected
