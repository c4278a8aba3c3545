"""Blend weight fitting: weights of the experts on the holdout, cross-fitting and transfer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.features.dataset import Dataset, typical_step
from model.forecast.blend import HorizonBlend
from model.forecast.calibration import BlendWeights, fit_blend_weights, matching_intercept
from model.forecast.predictor import Predictor
from model.units import HOUR

PRETRAINED_HORIZONS_OF_HISTORY = 500
"""History length, in multiples of the longest horizon, at which the pretrained model's prior weight reaches 0."""

BLOCK_HORIZONS = 12
"""Block length in multiples of the horizon; outcomes in a block count as one observation.

The length is limited to an hour, or to one horizon if the horizon is longer than an hour.
"""

PRIOR_BLOCKS = 24.0
"""Effective sample size, in blocks, at which the holdout and the prior weights count equally."""


def pretrained_weight(history: float, horizon: float) -> float:
    """Return the prior blend weight of the pretrained model.

    For a horizon of an hour the weight is 1 without history, 0.5 after five days and 0 after three weeks. On
    truncated traces, a host's own networks were worse than the pretrained model with up to three days of history.
    After a few weeks the pretrained model no longer improved the blend.

    Args:
        history: length of the history in seconds.
        horizon: longest horizon in seconds.
    """
    return max(0.0, 1.0 - math.sqrt(history / (PRETRAINED_HORIZONS_OF_HISTORY * horizon)))


@dataclass(frozen=True)
class ExpertPredictions:
    """Out-of-sample predictions of the experts, with the labels.

    Attributes:
        logits: (rows, horizons, experts).
        high: (rows,) True during high load.
        y: (rows, horizons) labels, NaN if unknown.
        times: (rows,) seconds, increasing.
    """

    logits: Floats
    high: Bools
    y: Floats
    times: Floats

    def take(self, rows: Bools) -> ExpertPredictions:
        """Return the rows that a mask selects."""
        return ExpertPredictions(*(getattr(self, f.name)[rows] for f in fields(self)))


def expert_predictions(models: Sequence[Predictor], holdouts: Sequence[Dataset]) -> ExpertPredictions:
    """Return the expert predictions of several models, each model on its own holdout, in the order of the models."""
    pairs = list(zip(models, holdouts, strict=True))
    return ExpertPredictions(
        logits=np.concatenate([model.expert_logits(holdout.x) for model, holdout in pairs]),
        high=np.concatenate([model.is_high(holdout.x) for model, holdout in pairs]),
        y=np.concatenate([holdout.y for holdout in holdouts]),
        times=np.concatenate([holdout.times for holdout in holdouts]),
    )


def fit_blends(predictor: Predictor, predictions: ExpertPredictions) -> tuple[HorizonBlend, ...]:
    """Fit a blend for each horizon on the holdout, with separate weights for calm and high load.

    Args:
        predictor: model with load tables, horizons and the prior weight of the pretrained model.
        predictions: expert predictions on the holdout.
    """
    step = typical_step(predictions.times, default=1.0)
    prior = (1.0 - predictor.pretrained_weight, 0.0, predictor.pretrained_weight)
    blends = []
    for i, horizon in enumerate(predictor.horizons):
        block_rows = max(horizon, min(BLOCK_HORIZONS * horizon, HOUR)) / step
        calm_weights, high_weights = (
            fit_blend_weights(predictions.logits[rows, i], predictions.y[rows, i], prior, block_rows, PRIOR_BLOCKS)
            for rows in (~predictions.high, predictions.high)
        )
        blends.append(replace(predictor.blends[i], calm=calm_weights, high=high_weights))
    return tuple(blends)


def cross_fitted_probabilities(predictor: Predictor, predictions: ExpertPredictions, parts: Integers) -> Floats:
    """Return the predictions (rows, horizons), each part blended with weights fitted on the other parts.

    With weights fitted on the scored rows, the scores would be too optimistic.

    Args:
        predictor: model with load tables, horizons and the prior weight of the pretrained model.
        predictions: expert predictions.
        parts: (rows,) part number of each row, non-decreasing.
    """
    probabilities = np.empty(predictions.y.shape)
    for part in np.unique(parts):
        scored = parts == part
        fitted = other_parts(predictions, scored, predictor.horizons)
        blended = replace(predictor, blends=fit_blends(predictor, fitted))
        probabilities[scored] = blended.blend(predictions.logits[scored], predictions.high[scored])
    return probabilities


def other_parts(predictions: ExpertPredictions, part: Bools, horizons: Sequence[float]) -> ExpertPredictions:
    """Return the rows outside a part; labels of earlier rows are NaN if their horizon reaches into the part.

    Args:
        predictions: expert predictions.
        part: (rows,) True in the part, whose rows are consecutive.
        horizons: horizons of the labels in seconds.
    """
    others = predictions.take(~part)
    start = predictions.times[part][0]
    reaching = (others.times < start)[:, None] & (start - others.times[:, None] <= np.asarray(horizons))
    return replace(others, y=np.where(reaching, np.float32(np.nan), others.y))


def halves(rows: int) -> Integers:
    """Return the half (rows,) of each row: 0 for the first half, 1 for the second."""
    return (np.arange(rows) >= rows // 2).astype(np.intp)


def transfer_blends(holdout_model: Predictor, predictor: Predictor, whole: Dataset) -> tuple[HorizonBlend, ...]:
    """Return the blends of a predictor fitted on the whole dataset, with the weights of its holdout model.

    The weights carry over, because both models are equally overconfident on unseen data. The intercept is the
    mean of:

    - the intercept of the holdout model, which does not reflect the newest load level;
    - the intercept that matches the event rate of the whole dataset, which is biased because the networks are
      overconfident on their training data.

    If all labels of a load state are equal, the intercept of the holdout model is kept.

    Args:
        holdout_model: model with fitted blends.
        predictor: model fitted on the whole dataset.
        whole: features and labels of the whole dataset.
    """
    logits = predictor.expert_logits(whole.x)
    high = predictor.is_high(whole.x)
    blends = []
    for i, blend in enumerate(holdout_model.blends):
        calm_weights = _transfer(blend.calm, logits[:, i], whole.y[:, i], ~high)
        high_weights = _transfer(blend.high, logits[:, i], whole.y[:, i], high)
        blends.append(replace(predictor.blends[i], calm=calm_weights, high=high_weights))
    return tuple(blends)


def _transfer(weights: BlendWeights, logits: Floats, y: Floats, rows: Bools) -> BlendWeights:
    """Return blend weights of one load state with the intercept described in `transfer_blends`.

    The intercept is unchanged unless both outcomes occur in the load state.

    Args:
        weights: blend weights of the holdout model.
        logits: (rows, experts) logits of the predictor for one horizon.
        y: (rows,) labels, NaN if unknown.
        rows: (rows,) True in the load state.
    """
    labels = y[rows]
    if not ((labels == 1).any() and (labels == 0).any()):
        return weights
    intercept = matching_intercept(logits[rows] @ np.array(weights.weights), labels)
    return replace(weights, intercept=(weights.intercept + intercept) / 2)
