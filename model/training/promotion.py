"""Promotion decision: gate on the holdout predictions of candidate, baselines and incumbent."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Bools, Floats
from model.features.dataset import features_at
from model.features.rows import Rows
from model.forecast.predictor import Predictor
from model.training.blend_weights import cross_fitted_probabilities, expert_predictions, halves
from model.training.evaluation import Candidate
from model.training.gate import GateInputs, check_candidate
from model.training.refusal import ComparisonSkip, Refusal, RefusalReason
from model.training.settings import GateConfig

UNRECORDED_RATIO = 0.8
"""Assumed fraction of the history that a model was fitted on, for models without `fitted_until`."""


@dataclass(frozen=True)
class IncumbentPredictions:
    """Predictions of an incumbent on the holdout of a candidate.

    Attributes:
        probabilities: (rows, horizons), NaN at horizons that the incumbent lacks and on rows that its holdout model
            was fitted on; None if the incumbent is not compared.
        skip: reason why the incumbent is not compared; None if it is compared, or if there is no incumbent.
    """

    probabilities: Floats | None = None
    skip: ComparisonSkip | None = None


@dataclass(frozen=True)
class GateDecision:
    """Decision of the promotion gate.

    Attributes:
        refusal: reason why the candidate may not serve; None if it may.
        skip: reason why candidate and incumbent were not compared; None if they were, if there is no
            incumbent, or if the candidate lacks a horizon of the incumbent.
    """

    refusal: Refusal | None
    skip: ComparisonSkip | None = None


def incumbent_predictions(
    incumbent: Predictor, candidate: Candidate, times: Floats, values: Rows
) -> IncumbentPredictions:
    """Return the predictions of the incumbent's holdout model on the candidate's holdout.

    The incumbent may have been fitted on rows of this holdout. Only rows that its holdout model was not fitted on are
    compared. As for the candidate, the blend weights are cross-fitted on the compared rows.

    Args:
        incumbent: the serving model.
        candidate: newly trained predictor with its holdout.
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
    """
    model = incumbent.holdout_model or incumbent
    if model.spec.columns != candidate.predictor.spec.columns:
        return IncumbentPredictions(skip=ComparisonSkip.OTHER_METRICS)
    horizons = candidate.horizons
    shared = [horizon for horizon in horizons if horizon in model.horizons]
    if not shared:
        return IncumbentPredictions(skip=ComparisonSkip.NO_COMMON_HORIZON)
    model_columns = [model.horizons.index(horizon) for horizon in shared]
    columns = [horizons.index(horizon) for horizon in shared]
    unseen = _unseen(incumbent, candidate.holdout.times, times)
    if not (candidate.holdout.y[unseen][:, columns] == 1).any():
        return IncumbentPredictions(skip=ComparisonSkip.NO_UNSEEN_EVENT)
    holdout = candidate.holdout.take(np.flatnonzero(unseen))
    y = np.full((len(holdout), len(model.horizons)), np.float32(np.nan))
    y[:, model_columns] = holdout.y[:, columns]
    x = features_at(model.spec, times, values, holdout.times)
    predictions = expert_predictions([model], [replace(holdout, x=x, y=y)])
    fitted = cross_fitted_probabilities(model, predictions, halves(len(holdout)))
    probabilities = np.full(candidate.probabilities.shape, np.nan)
    probabilities[np.ix_(np.flatnonzero(unseen), np.array(columns))] = fitted[:, model_columns]
    return IncumbentPredictions(probabilities)


def _unseen(incumbent: Predictor, holdout_times: Floats, times: Floats) -> Bools:
    """Return a mask (n,) of the holdout rows that the incumbent's holdout model was not fitted on.

    Args:
        incumbent: the serving model.
        holdout_times: (n,) times of the holdout rows in seconds.
        times: (rows,) times of all samples in seconds, increasing.
    """
    until = (incumbent.holdout_model or incumbent).fitted_until
    if until is None:
        until = float(times[int(len(times) * UNRECORDED_RATIO)])
    return holdout_times >= until


def _is_fitted(incumbent: Predictor) -> bool:
    """Return False for the bootstrap model, which was not fitted on this host."""
    return incumbent.holdout_model is not None or incumbent.fitted_until is not None


def _lost_horizons(candidate: Candidate, incumbent: Predictor) -> list[float]:
    """Return the horizons that the networks of an incumbent predict, but not those of the candidate."""
    own = set(incumbent.horizons) - set(incumbent.pretrained_horizons)
    return [horizon for horizon in candidate.omitted_horizons if horizon in own]


def decide_promotion(
    candidate: Candidate, incumbent: Predictor | None, times: Floats, values: Rows, config: GateConfig
) -> GateDecision:
    """Decide whether a candidate may serve, by comparison with the baselines and the incumbent on the holdout.

    A candidate without networks for a horizon that the networks of the incumbent predict is refused without a
    comparison. The bootstrap model has no networks of this host: it is replaced without a comparison.

    Args:
        candidate: newly trained predictor with its evaluation.
        incumbent: the serving model, None if there is none.
        times: (rows,) seconds, increasing, of samples that include the candidate's training history.
        values: (rows, columns), NaN where missing.
        config: conditions for promotion.
    """
    compared = IncumbentPredictions()
    if incumbent is not None and _is_fitted(incumbent):
        lost = _lost_horizons(candidate, incumbent)
        if lost:
            detail = candidate.omitted_horizons[lost[0]].message
            return GateDecision(Refusal(RefusalReason.MISSING_HORIZON, detail=detail))
        compared = incumbent_predictions(incumbent, candidate, times, values)
    inputs = GateInputs(
        candidate=candidate.probabilities,
        baselines=candidate.baselines,
        incumbent=compared.probabilities,
        holdout=candidate.holdout,
        horizons=candidate.horizons,
    )
    return GateDecision(check_candidate(inputs, config), compared.skip)
