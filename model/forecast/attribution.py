"""Attribution: contribution of each metric to a predicted probability, in log-odds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.array_types import Floats
from model.forecast.log_odds import logit
from model.forecast.predictor import LOAD_TABLE, NETWORK, PRETRAINED, Predictor

LEVEL = "level"
"""Key of the remainder: log-odds relative to the base rate that are not attributed to a feature group."""


def contributions(
    predictor: Predictor, x: Floats, final: Floats | None = None, slopes: Sequence[float] | None = None
) -> list[dict[str, float]]:
    """Attribute the log-odds of a prediction, relative to the base rate, to feature groups.

    For each horizon, the contributions sum to logit(published probability) - logit(base rate). The logits of the
    networks, relative to their logits at the training mean, are attributed to their inputs (`Network.attribute`). The
    load table is attributed to "load_index", the remainder to LEVEL. If a baseline or the high-load floor serves, the
    whole sum is attributed to "load_index".

    Args:
        predictor: the model.
        x: features (1, features).
        final: (1, horizons) published probabilities; None for the model's own probabilities.
        slopes: for each horizon, the recalibration slope, which multiplies the model's log-odds; 0 if a baseline or
            the floor serves; None for slopes of 1.

    Returns:
        For each horizon, the contributions in log-odds, keyed by feature group (see `FeatureSpec.groups`) and LEVEL.
    """
    if slopes is None:
        slopes = [1.0] * len(predictor.horizons)
    probabilities = predictor.probabilities(x) if final is None else final
    published = logit(probabilities)[0]
    logits = predictor.expert_logits(x)[0]
    reference = predictor.reference
    reference_logits = predictor.reference_logits
    high = bool(predictor.is_high(x)[0])
    attributions = {NETWORK: predictor.ensemble.attribute(x[0], reference)}
    if predictor.pretrained is not None:
        attributions[PRETRAINED] = predictor.pretrained.attribute(x[0], reference)
    load = predictor.spec.groups.index("load_index")
    results = []
    for i, blend in enumerate(predictor.blends):
        slope = slopes[i]
        blend_weights = blend.high if high else blend.calm
        weights = np.array(blend_weights.weights) * slope
        by_feature = sum(weights[expert] * attribution[i] for expert, attribution in attributions.items())
        by_group = by_feature @ predictor.spec.group_membership
        base = float(logit(np.array(predictor.base_rates[i])))
        moves = weights * (logits[i] - reference_logits[i])
        rest = float(published[i]) - base - float(moves[NETWORK] + moves[PRETRAINED])
        load_contribution = float(weights[LOAD_TABLE]) * (float(logits[i, LOAD_TABLE]) - base) if slope else rest
        by_group[load] += load_contribution
        named = dict(zip(predictor.spec.groups, by_group.tolist(), strict=True))
        results.append({**named, LEVEL: rest - load_contribution})
    return results
