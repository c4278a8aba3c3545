"""Blend: load tables and weights of the experts."""

import numpy as np
import pytest

from model.forecast.blend import (
    EMPTY_LOAD_TABLE,
    EXPERTS,
    BlendTable,
    HorizonBlend,
    LoadTable,
    binned_event_rates,
    fit_load_table,
    network_only,
)
from model.forecast.calibration import BlendWeights
from model.forecast.log_odds import logit

pytestmark = pytest.mark.unit


def test_binned_event_rates_do_not_decrease_and_keep_ties_together():
    rng = np.random.default_rng(0)
    score = np.round(rng.random(2000), 2)
    y = (rng.random(2000) < score).astype(float)
    centres, rates = binned_event_rates(score, y)
    assert (np.diff(centres) > 0).all()
    assert (np.diff(rates) >= 0).all()
    assert len(centres) <= 20
    tied, _ = binned_event_rates(np.full(50, 0.3), np.zeros(50))
    assert tied == pytest.approx([0.3])


def test_load_table_interpolates_and_has_a_value_for_missing_scores():
    table = LoadTable(np.array([0.0, 1.0]), np.array([-1.0, 3.0]), 0.5)
    assert table(np.array([-1.0, 0.0, 0.25, 2.0, np.nan])).tolist() == [-1.0, -1.0, 0.0, 3.0, 0.5]


def test_fit_load_table_has_log_odds_of_event_rates():
    score = np.array([0.1] * 50 + [0.9] * 50 + [np.nan] * 5)
    y = np.array([0.0] * 50 + [1.0] * 25 + [0.0] * 25 + [np.nan] * 5)
    table = fit_load_table(score, y)
    assert table(np.array([0.9]))[0] == pytest.approx(0.0)
    assert table(np.array([0.1]))[0] == pytest.approx(logit(np.array(0.0), 1e-4))
    assert table.unknown == pytest.approx(logit(np.array(0.25)))
    assert fit_load_table(np.full(3, np.nan), np.ones(3)) is EMPTY_LOAD_TABLE
    assert not EMPTY_LOAD_TABLE.fitted
    assert fit_load_table(np.full(3, 0.5), np.array([0.0, 1.0, 0.0])).fitted


def test_blend_table_weighs_the_experts_by_load_state():
    blends = [
        HorizonBlend(EMPTY_LOAD_TABLE, BlendWeights((1.0, 2.0, 3.0), 0.5), BlendWeights((0.0, 0.0, 1.0), -1.0)),
        network_only(),
    ]
    logits = np.arange(12.0).reshape(2, 2, 3)
    blended = BlendTable(blends)(logits, np.array([False, True]))
    assert blended.tolist() == [[0 + 2 + 6 + 0.5, 3.0], [8 - 1.0, 9.0]]


def test_normalized_weights_sum_to_1_while_calm():
    blend = HorizonBlend(EMPTY_LOAD_TABLE, BlendWeights((0.5, 1.0, 0.5)), BlendWeights((0.0, 0.0, 0.0)))
    assert dict(zip(EXPERTS, blend.normalized_weights, strict=True)) == {
        "network": 0.25,
        "load_table": 0.5,
        "pretrained": 0.25,
    }
    assert HorizonBlend(EMPTY_LOAD_TABLE, blend.high, blend.high).normalized_weights == (0.0, 0.0, 0.0)
