"""Promotion of a candidate next to an incumbent."""

from dataclasses import replace

import numpy as np
import pytest

from model.errors import SkipReason
from model.forecast.serialization import dumps, loads
from model.nn.layers import Linear
from model.nn.network import Network
from model.training.promotion import decide_promotion, incumbent_predictions
from model.training.refusal import ComparisonSkip, RefusalReason
from model.training.settings import GateConfig
from model.training.task import OmittedHorizon

pytestmark = pytest.mark.unit


@pytest.fixture
def incumbent(candidate):
    """The candidate itself, as a stored model."""
    return loads(dumps(candidate.predictor), holdout_model=True)


def with_holdout_model(incumbent, **changes):
    return replace(incumbent, holdout_model=replace(incumbent.holdout_model, **changes))


def test_incumbent_is_evaluated_by_its_holdout_model(candidate, incumbent, trace):
    predictions = incumbent_predictions(incumbent, candidate, *trace)
    newest = candidate.holdout.times >= incumbent.holdout_model.fitted_until
    compared = predictions.probabilities[newest]
    assert np.abs(compared - candidate.probabilities[newest]).mean() < 0.02
    assert np.isnan(predictions.probabilities[~newest]).all()
    assert predictions.skip is None
    decision = decide_promotion(candidate, incumbent, *trace, GateConfig())
    assert (decision.refusal, decision.skip) == (None, None)


def test_incumbent_is_compared_only_on_rows_that_it_was_not_fitted_on(candidate, incumbent, trace):
    times = candidate.holdout.times
    middle = float(times[-len(times) // 6])
    later = with_holdout_model(incumbent, fitted_until=middle)
    probabilities = incumbent_predictions(later, candidate, *trace).probabilities
    assert np.isnan(probabilities[times < middle]).all()
    assert not np.isnan(probabilities[times >= middle]).any()


def test_incumbent_that_was_fitted_on_all_high_load_is_not_compared(candidate, incumbent, trace):
    seen = with_holdout_model(incumbent, fitted_until=float(trace[0][-1]))
    decision = decide_promotion(candidate, seen, *trace, GateConfig())
    assert (decision.refusal, decision.skip) == (None, ComparisonSkip.NO_UNSEEN_EVENT)


def test_incumbent_of_an_older_release_is_compared_on_the_newest_fifth(candidate, incumbent, trace):
    older = with_holdout_model(incumbent, fitted_until=None)
    holdout = candidate.holdout
    probabilities = incumbent_predictions(older, candidate, *trace).probabilities
    compared = ~np.isnan(probabilities[:, 0])
    newest = holdout.times >= trace[0][int(0.8 * len(trace[0]))]
    assert np.array_equal(compared, newest)


def without_first_horizon(predictor):
    networks = tuple(
        Network([*network.layers[:-1], Linear(network.layers[-1].weight[:, 1:], network.layers[-1].bias[1:])])
        for network in predictor.ensemble.networks
    )
    return replace(
        predictor,
        horizons=predictor.horizons[1:],
        ensemble=replace(predictor.ensemble, networks=networks, trees=None),
        blends=predictor.blends[1:],
        pretrained=None,
    )


def test_incumbent_has_no_prediction_at_a_horizon_that_it_lacks(candidate, incumbent, trace):
    fewer = replace(incumbent, holdout_model=without_first_horizon(incumbent.holdout_model))
    probabilities = incumbent_predictions(fewer, candidate, *trace).probabilities
    newest = candidate.holdout.times >= incumbent.holdout_model.fitted_until
    assert np.isnan(probabilities[:, 0]).all()
    assert not np.isnan(probabilities[newest, 1]).any()


def test_incumbent_of_another_task_is_not_compared(candidate, trace):
    other = replace(candidate.predictor, horizons=(1.0, 2.0), holdout_model=None)
    assert incumbent_predictions(other, candidate, *trace).skip is ComparisonSkip.NO_COMMON_HORIZON
    spec = replace(other.spec, columns=(*other.spec.columns, "disk_busy"))
    foreign = replace(other, spec=spec)
    assert incumbent_predictions(foreign, candidate, *trace).skip is ComparisonSkip.OTHER_METRICS


def test_candidate_without_networks_for_a_horizon_of_fitted_networks_is_refused(candidate, trace):
    omitted = OmittedHorizon(SkipReason.NO_CALM_LOAD, 1)
    fewer = replace(candidate, omitted_horizons={200.0: omitted})
    refusal = decide_promotion(fewer, candidate.predictor, *trace, GateConfig()).refusal
    assert refusal.reason is RefusalReason.MISSING_HORIZON
    assert refusal.detail == omitted.message
    alone = replace(candidate.predictor, pretrained_horizons=(200.0,))
    # A model that was not fitted on the host, more accurate than any: it is not compared.
    bootstrap = replace(candidate.predictor, holdout_model=None, fitted_until=None)
    for incumbent in (None, alone, bootstrap):
        assert decide_promotion(fewer, incumbent, *trace, GateConfig()).refusal is None
