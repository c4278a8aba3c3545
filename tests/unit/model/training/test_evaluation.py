"""Evaluation of a candidate on its holdout."""

from dataclasses import replace

import numpy as np
import pytest

from model.errors import SkipReason
from model.forecast.baselines import CLIMATOLOGY, CURRENT_VALUE, HOLT_WINTERS, PERSISTENCE
from model.forecast.serialization import dumps, loads
from model.nn.layers import Linear
from model.nn.network import Network
from model.training.evaluation import (
    CANDIDATE,
    cross_calibrated_probabilities,
    gate_refusal,
    incumbent_probabilities,
)
from model.training.refusal import RefusalReason
from model.training.settings import GateConfig
from model.training.task import HistoryPart, OmittedHorizon

pytestmark = pytest.mark.unit


def test_candidate_is_scored_with_all_baselines(candidate):
    for scores in candidate.scores:
        assert set(scores) == {CANDIDATE, CLIMATOLOGY, PERSISTENCE, CURRENT_VALUE, HOLT_WINTERS}
        assert scores[CANDIDATE].brier < 0.5 * scores[PERSISTENCE].brier
        assert scores[CANDIDATE].average_precision > 0.9
        assert scores[CLIMATOLOGY].brier_skill == pytest.approx(0, abs=1e-6)
    assert np.all(np.diff(candidate.probabilities, axis=1) >= 0)


def test_each_half_of_the_holdout_is_blended_on_the_other(candidate):
    holdout = candidate.holdout
    holdout_model = candidate.predictor.holdout_model
    half = len(holdout) // 2
    turned = holdout.y.copy()
    turned[half + 60 :] = 1 - turned[half + 60 :]
    before = cross_calibrated_probabilities(holdout_model, holdout)
    after = cross_calibrated_probabilities(holdout_model, replace(holdout, y=turned))
    assert not np.allclose(before[:half], after[:half])
    assert np.array_equal(before[half:], after[half:])


def test_incumbent_is_evaluated_by_its_holdout_model(candidate, trace):
    incumbent = loads(dumps(candidate.predictor), holdout_model=True)
    assert np.array_equal(incumbent_probabilities(incumbent, candidate, *trace), candidate.probabilities)
    assert gate_refusal(candidate, incumbent, *trace, GateConfig()) is None


def without_first_horizon(predictor):
    networks = tuple(
        Network([*network.layers[:-1], Linear(network.layers[-1].weight[:, 1:], network.layers[-1].bias[1:])])
        for network in predictor.ensemble.networks
    )
    return replace(
        predictor,
        horizons=predictor.horizons[1:],
        ensemble=replace(predictor.ensemble, networks=networks),
        blends=predictor.blends[1:],
        pretrained=None,
    )


def test_incumbent_has_no_prediction_at_a_horizon_that_it_lacks(candidate, trace):
    incumbent = loads(dumps(candidate.predictor), holdout_model=True)
    fewer = replace(incumbent, holdout_model=without_first_horizon(incumbent.holdout_model))
    probabilities = incumbent_probabilities(fewer, candidate, *trace)
    assert np.isnan(probabilities[:, 0]).all()
    assert not np.isnan(probabilities[:, 1]).any()


def test_incumbent_without_a_common_horizon_is_not_compared(candidate, trace):
    other = replace(candidate.predictor, horizons=(1.0, 2.0), holdout_model=None)
    assert incumbent_probabilities(other, candidate, *trace) is None


def test_candidate_that_lacks_a_horizon_of_the_incumbent_is_refused(candidate, trace):
    omitted = OmittedHorizon(SkipReason.NO_CALM_LOAD, HistoryPart.TRAINING)
    fewer = replace(candidate, omitted_horizons={200.0: omitted})
    refusal = gate_refusal(fewer, candidate.predictor, *trace, GateConfig())
    assert refusal.reason is RefusalReason.MISSING_HORIZON
    assert refusal.detail == omitted.message
    assert gate_refusal(fewer, None, *trace, GateConfig()) is None
