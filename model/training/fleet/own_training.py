"""Own training: a small network of one host, blended with the pooled model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Floats
from model.errors import DivergedError, NotEnoughHistoryError
from model.forecast.fleet.own_models import OwnModel, own_model
from model.forecast.log_odds import sigmoid
from model.forecast.predictor import Predictor
from model.forecast.pretrained import PretrainedModel, adapt
from model.nn.fit_config import FitConfig
from model.training.evaluation import Candidate
from model.training.gate import GateInputs, check_candidate
from model.training.pipeline import train
from model.training.settings import GateConfig, Recipe
from model.training.task import Task
from model.trees.boosting import BoostingConfig

OWN_RECIPE = Recipe(
    networks=1,
    layers=(16,),
    fit=FitConfig(patience=0, keep_best=False),
    boosting=BoostingConfig(trees=0),
    load_index_only=True,
)
"""Recipe of an own model: few parameters, because each host of a fleet keeps its own."""

DIVERGED = "diverged"
"""Code of a training run whose loss diverged."""


@dataclass(frozen=True)
class OwnTraining:
    """Result of the training of one host.

    Attributes:
        model: the own model; None if the host has too little history, or if the gate refused it.
        reason: code of the reason without a model: a `SkipReason`, a `RefusalReason` or DIVERGED; empty with one.
        message: text of the reason.
    """

    model: OwnModel | None
    reason: str = ""
    message: str = ""


def train_own(
    times: Floats,
    values: Floats,
    columns: Sequence[str],
    task: Task,
    shared: PretrainedModel,
    gate: GateConfig,
    seed: Sequence[int],
) -> OwnTraining:
    """Train the own model of a host, with the pipeline of a single host, and apply the gate.

    The candidate must not be worse than the shared model on the holdout, which is its incumbent.

    Args:
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        columns: names of the columns.
        task: high-load rules, horizons and target precision.
        shared: pooled or shipped model, which the own model blends.
        gate: conditions for promotion.
        seed: seed of the random numbers, different for each host.
    """
    rng = np.random.default_rng(seed)
    try:
        candidate = train(times, values, columns, task, replace(OWN_RECIPE, shared=shared), rng)
    except NotEnoughHistoryError as error:
        return OwnTraining(None, error.skip_reason, str(error))
    except DivergedError as error:
        return OwnTraining(None, DIVERGED, str(error))
    inputs = GateInputs(
        candidate=candidate.probabilities,
        baselines=candidate.baselines,
        incumbent=_shared_probabilities(shared, candidate),
        holdout=candidate.holdout,
        horizons=candidate.horizons,
    )
    refusal = check_candidate(inputs, gate)
    if refusal is not None:
        return OwnTraining(None, refusal.reason, refusal.message)
    return OwnTraining(own_model(candidate.predictor))


def _shared_probabilities(shared: PretrainedModel, candidate: Candidate) -> Floats:
    """Return the probabilities (rows, horizons) of the shared model on the holdout of a candidate."""
    predictor: Predictor = candidate.predictor
    logits = adapt(shared, predictor.spec, candidate.horizons).predict(candidate.holdout.x)
    return np.asarray(np.maximum.accumulate(sigmoid(logits.astype(np.float64)), axis=1))
