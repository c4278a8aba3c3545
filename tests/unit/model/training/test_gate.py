"""Promotion gate."""

import numpy as np
import pytest

from model.forecast.baselines import CLIMATOLOGY, HOLT_WINTERS, PERSISTENCE
from model.forecast.metrics import average_precision
from model.training.gate import GateInputs, brier_difference, check_candidate, precision_difference
from model.training.refusal import INCUMBENT, RefusalReason
from model.training.settings import GateConfig
from tests.unit.model.conftest import label_rows

pytestmark = pytest.mark.unit


def check(candidate, baselines, incumbent, y, horizons=(60.0,), config=None):
    """Apply the gate to predictions every ten seconds."""
    inputs = GateInputs(
        candidate=candidate,
        baselines=baselines,
        incumbent=incumbent,
        holdout=label_rows(y, np.arange(len(y)) * 10.0),
        horizons=horizons,
    )
    return check_candidate(inputs, config or GateConfig())


Y = np.tile([1.0, 0, 0, 0], 100)[:, None]
PREDICTIONS = {"good": 0.1 + 0.8 * Y, "fair": 0.2 + 0.5 * Y, "base": np.full_like(Y, 0.25), "bad": 1 - Y}


def check_named(candidate, baselines, incumbent=None, min_skill=0.0):
    named = {name: PREDICTIONS[quality] for name, quality in baselines.items()}
    config = GateConfig(min_skill=min_skill)
    return check(PREDICTIONS[candidate], named, PREDICTIONS.get(incumbent), Y, config=config)


def test_gate_accepts_a_better_candidate():
    assert check_named("good", {CLIMATOLOGY: "base", PERSISTENCE: "fair"}, "fair") is None


def test_gate_rejects_a_candidate_worse_than_a_baseline():
    refusal = check_named("fair", {CLIMATOLOGY: "base", PERSISTENCE: "good"})
    assert refusal.reason is RefusalReason.NOT_BETTER_THAN_BASELINE
    assert refusal.reference == PERSISTENCE
    assert (refusal.candidate, refusal.other) == (pytest.approx(0.0525), pytest.approx(0.01))


def test_gate_rejects_a_candidate_worse_than_the_incumbent():
    refusal = check_named("fair", {CLIMATOLOGY: "base"}, "good")
    assert refusal.reason is RefusalReason.WORSE_THAN_INCUMBENT
    assert refusal.reference == INCUMBENT
    assert refusal.difference == pytest.approx(0.0425)
    assert refusal.difference > refusal.allowed


def test_gate_rejects_a_candidate_equal_to_the_base_rate():
    refusal = check_named("base", {CLIMATOLOGY: "base"})
    assert (refusal.reason, refusal.reference) == (RefusalReason.NOT_BETTER_THAN_BASELINE, CLIMATOLOGY)


def test_gate_rejects_a_candidate_below_the_minimum_skill():
    refusal = check_named("fair", {CLIMATOLOGY: "base"}, min_skill=0.9)
    assert refusal.reason is RefusalReason.LOW_SKILL
    assert refusal.allowed == 0.9
    assert refusal.candidate == pytest.approx(1 - 0.0525 / 0.1875)


@pytest.mark.parametrize(("baseline", "accepted"), [("slightly better", True), ("clearly better", False)])
def test_gate_tolerates_chance_for_a_baseline_over_the_same_inputs(baseline, accepted):
    rng = np.random.default_rng(0)
    y = (rng.random((2000, 1)) < 0.3).astype(float)
    candidate = np.clip(0.3 + 0.4 * (y - 0.3) + rng.normal(0, 0.1, y.shape), 0.01, 0.99)
    others = {
        "slightly better": np.clip(candidate + rng.normal(0, 0.01, y.shape), 0.01, 0.99),
        "clearly better": np.clip(0.3 + 0.8 * (y - 0.3) + rng.normal(0, 0.1, y.shape), 0.01, 0.99),
    }
    baselines = {CLIMATOLOGY: np.full_like(y, 0.3), HOLT_WINTERS: others[baseline]}
    assert (check(candidate, baselines, None, y) is None) == accepted


def test_gate_rejects_a_candidate_with_a_worse_ranking():
    rng = np.random.default_rng(0)
    y = (rng.random((4000, 1)) < 0.05).astype(float)
    ranks = 0.1 + 0.6 * y * rng.random(y.shape) + 0.3 * rng.random(y.shape)  # ranks well, predicts too much
    calibrated = np.clip(0.05 + 0.1 * y + rng.normal(0, 0.08, y.shape), 0.001, 0.99)
    assert np.mean((calibrated - y) ** 2) < np.mean((ranks - y) ** 2)
    refusal = check(calibrated, {CLIMATOLOGY: np.full_like(y, 0.06)}, ranks, y)
    assert (refusal.reason, refusal.reference) == (RefusalReason.LOWER_RANKING, INCUMBENT)
    difference = average_precision(y[:, 0], calibrated[:, 0]) - average_precision(y[:, 0], ranks[:, 0])
    assert precision_difference(calibrated, ranks, y).mean == pytest.approx(difference)
    assert refusal.difference == pytest.approx(difference)


def test_incumbent_is_not_compared_at_a_horizon_that_it_lacks():
    y = np.tile([1.0, 0], 50)[:, None] * np.ones((1, 2))
    incumbent = np.column_stack([np.full(100, 0.5), np.full(100, np.nan)])
    baselines = {CLIMATOLOGY: np.full_like(y, 0.5)}
    assert check(0.3 + 0.4 * y, baselines, incumbent, y, (60.0, 300.0)) is None


def test_brier_difference_without_labels_is_unknown():
    unknown = np.full((5, 1), np.nan)
    difference = brier_difference(unknown, unknown, unknown, np.arange(5.0), 60.0)
    assert np.isnan(difference.mean)
    assert np.isinf(difference.error)
