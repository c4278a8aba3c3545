"""Blend weights on the holdout."""

from dataclasses import replace

import numpy as np
import pytest

from model.forecast.blend import network_only
from model.forecast.calibration import BlendWeights
from model.training.blend_weights import (
    cross_fitted_probabilities,
    expert_predictions,
    fit_blends,
    halves,
    pretrained_weight,
    transfer_blends,
)
from model.units import DAY

pytestmark = pytest.mark.unit


def test_pretrained_weight_decreases_with_the_history():
    assert pretrained_weight(0.0, 3600.0) == 1
    assert pretrained_weight(5.2 * DAY, 3600.0) == pytest.approx(0.5, abs=0.01)
    assert pretrained_weight(21 * DAY, 3600.0) == 0


def test_fit_blends_reduces_the_loss_on_its_rows(candidate):
    holdout_model = candidate.predictor.holdout_model
    predictions = expert_predictions([holdout_model], [candidate.holdout])
    fitted = replace(holdout_model, blends=fit_blends(holdout_model, predictions))
    uninformed = replace(holdout_model, blends=(replace(network_only(), calm=BlendWeights((0.0, 0.0, 0.0))),) * 2)
    y = predictions.y[:, 0]
    calm = ~np.isnan(y) & ~predictions.high
    losses = []
    for model in (fitted, holdout_model, uninformed):
        p = np.clip(model.blend(predictions.logits[calm], predictions.high[calm])[:, 0], 1e-9, 1 - 1e-9)
        losses.append(-np.mean(y[calm] * np.log(p) + (1 - y[calm]) * np.log(1 - p)))
    assert losses[0] <= losses[1] * 1.05
    assert losses[0] < 0.5 * losses[2]


def test_transfer_blends_keeps_weights_and_moves_intercepts_half_way(candidate):
    predictor = candidate.predictor
    holdout_model = predictor.holdout_model
    blends = transfer_blends(holdout_model, predictor, candidate.holdout)
    for new, old in zip(blends, holdout_model.blends, strict=True):
        assert new.calm.weights == old.calm.weights
        assert new.calm.intercept != old.calm.intercept
    unknown = replace(candidate.holdout, y=np.full_like(candidate.holdout.y, np.nan))
    unchanged = transfer_blends(holdout_model, predictor, unknown)
    assert [blend.calm for blend in unchanged] == [blend.calm for blend in holdout_model.blends]


def test_each_part_is_blended_with_weights_of_the_others(candidate):
    holdout_model = candidate.predictor.holdout_model
    predictions = expert_predictions([holdout_model], [candidate.holdout])
    parts = halves(len(candidate.holdout))
    half = len(parts) // 2
    turned = predictions.y.copy()
    turned[half + 60 :] = 1 - turned[half + 60 :]
    before = cross_fitted_probabilities(holdout_model, predictions, parts)
    after = cross_fitted_probabilities(holdout_model, replace(predictions, y=turned), parts)
    assert not np.allclose(before[:half], after[:half])
    assert np.array_equal(before[half:], after[half:])


def test_labels_that_reach_into_the_scored_part_are_not_used(candidate):
    holdout_model = candidate.predictor.holdout_model
    predictions = expert_predictions([holdout_model], [candidate.holdout])
    parts = halves(len(candidate.holdout))
    start = predictions.times[parts == 1][0]
    reaching = (predictions.times < start)[:, None] & (
        predictions.times[:, None] + np.array(holdout_model.horizons) >= start
    )
    assert reaching.any()
    turned = replace(predictions, y=np.where(reaching, 1 - predictions.y, predictions.y))
    second = parts == 1
    before = cross_fitted_probabilities(holdout_model, predictions, parts)
    after = cross_fitted_probabilities(holdout_model, turned, parts)
    assert np.array_equal(before[second], after[second])


def test_halves_number_the_rows_of_both_halves():
    assert halves(5).tolist() == [0, 0, 1, 1, 1]
