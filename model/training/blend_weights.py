"""How much each voice counts, by what it said of a part of the history that it has not seen."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from model.features.dataset import Dataset, typical_step
from model.forecast.blend import HorizonBlend
from model.forecast.calibration import fit_blend_weights, matching_intercept
from model.forecast.predictor import Predictor
from model.units import HOUR

PRIOR_FADES = 500
"""Furthest horizons that a history must hold for a prior to have no say of its own: three weeks for an hour."""

STORY = 12
"""Horizons within which outcomes tell one story; none is longer than an hour, unless the horizon is."""

STORIES = 6.0
"""How many stories it takes to move the weights of the voices half of the way."""


def pretrained_weight(span: float, horizon: float) -> float:
    """How much of the say a prior is thought to have before anything was compared.

    All of it without a history, half of it after five days, none after three weeks: on cut traces networks of their
    own were worse than the prior up to three days, and had no use for it after some weeks.

    Args:
        span: seconds of history.
        horizon: the furthest, in seconds.
    """
    return max(0.0, 1.0 - math.sqrt(span / (PRIOR_FADES * horizon)))


def fit_blends(predictor: Predictor, unseen: Dataset) -> tuple[HorizonBlend, ...]:
    """The voices as they are best heard, by what they say of what none has seen."""
    said, apart = predictor.said(unseen.x), typical_step(unseen.times, default=1.0)
    high, start = predictor.high(unseen.x), (1.0 - predictor.pretrained_weight, 0.0, predictor.pretrained_weight)
    found = []
    for i, horizon in enumerate(predictor.horizons):
        story = max(horizon, min(STORY * horizon, HOUR)) / apart
        calm, up = (
            fit_blend_weights(said[rows, i], unseen.y[rows, i], start, story, STORIES) for rows in (~high, high)
        )
        found.append(replace(predictor.blends[i], calm=calm, high=up))
    return tuple(found)


def transfer_blends(holdout_model: Predictor, predictor: Predictor, whole: Dataset) -> tuple[HorizonBlend, ...]:
    """The weights of what serves: those of its rehearsal.

    How much too sure the rehearsal was of what it had not seen, its twin will be of what comes. Of the level only
    half is taken over: where load has risen of late the rehearsal did not know it and its twin does, but what a
    network says of what it has learned from is surer than what it will say.
    """
    said, high = predictor.said(whole.x), predictor.high(whole.x)
    found = []
    for i, blends in enumerate(holdout_model.blends):
        mixes = []
        for mix, rows in ((blends.calm, ~high), (blends.high, high)):
            y = whole.y[rows, i]
            if (y == 1).any() and (y == 0).any():
                level = matching_intercept(said[rows, i] @ np.array(mix.weights), y)
                mixes.append(replace(mix, intercept=(mix.intercept + level) / 2))
            else:
                mixes.append(mix)
        found.append(replace(predictor.blends[i], calm=mixes[0], high=mixes[1]))
    return tuple(found)
