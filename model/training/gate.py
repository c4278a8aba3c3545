"""Promotion gate: compare a candidate with the incumbent and the baselines on the holdout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats
from model.features.dataset import Dataset
from model.forecast.baselines import CLIMATOLOGY, CURRENT_VALUE, HOLT_WINTERS, PERSISTENCE
from model.forecast.metrics import average_precision
from model.training.refusal import INCUMBENT, Refusal, RefusalReason
from model.training.settings import GateConfig

JACKKNIFE_PARTS = 10
"""Number of consecutive parts of a holdout; the jackknife leaves each part out once."""

MIN_JACKKNIFE_PARTS = JACKKNIFE_PARTS / 2
"""Smallest number of finite jackknife values for a standard error."""

SAME_INPUTS = (PERSISTENCE, CURRENT_VALUE, HOLT_WINTERS)
"""Baselines that use only inputs of the candidate; their Brier score may be better by less than the margin."""


@dataclass(frozen=True)
class Difference:
    """Difference in a score between the candidate and another predictor.

    Attributes:
        mean: score of the candidate minus score of the other predictor; NaN if it cannot be computed.
        error: standard error of `mean`; infinite if it cannot be estimated.
    """

    mean: float
    error: float


@dataclass(frozen=True)
class GateInputs:
    """Predictions of candidate, baselines and incumbent on the holdout.

    Attributes:
        candidate: (rows, horizons) probabilities.
        baselines: (rows, horizons) probabilities of each baseline, keyed by name.
        incumbent: (rows, horizons) probabilities, NaN for rows or horizons that are not compared; None if no
            incumbent is compared.
        holdout: labels and times of the rows.
        horizons: seconds.
    """

    candidate: Floats
    baselines: Mapping[str, Floats]
    incumbent: Floats | None
    holdout: Dataset
    horizons: Sequence[float]


def brier_difference(candidate: Floats, other: Floats, y: Floats, times: Floats, block: float) -> Difference:
    """Return the candidate's Brier score minus that of another predictor, over all known labels.

    The standard error is computed from block means, because neighbouring rows are correlated.

    Args:
        candidate: (rows, horizons) probabilities.
        other: (rows, horizons) probabilities, NaN where the predictor is not compared.
        y: (rows, horizons) labels, NaN if unknown.
        times: (rows,) seconds, increasing.
        block: block length in seconds.
    """
    excess = np.square(candidate - y) - np.square(other - y)
    rows = ~np.isnan(excess).all(axis=1)
    if not rows.any():
        return Difference(float("nan"), float("inf"))
    by_row = np.nanmean(excess[rows], axis=1)
    numbers = ((times[rows] - times[rows][0]) // block).astype(int)
    _, blocks = np.unique(numbers, return_inverse=True)
    means = np.bincount(blocks, weights=by_row) / np.bincount(blocks)
    error = float(np.std(means, ddof=1) / np.sqrt(len(means))) if len(means) > 1 else float("inf")
    return Difference(float(by_row.mean()), error)


def precision_difference(candidate: Floats, other: Floats, y: Floats) -> Difference:
    """Return the candidate's average precision minus that of another predictor, averaged over horizons.

    The standard error comes from a jackknife over JACKKNIFE_PARTS consecutive parts (Efron and Stein 1981). With
    fewer than MIN_JACKKNIFE_PARTS finite values, the mean is NaN and the error is infinite.

    Args:
        candidate: (rows, horizons) probabilities.
        other: (rows, horizons) probabilities, NaN where the predictor is not compared.
        y: (rows, horizons) labels, NaN if unknown.
    """
    part = np.arange(len(y)) * JACKKNIFE_PARTS // max(len(y), 1)
    values = [_precision_difference(candidate, other, y, part != left_out) for left_out in range(JACKKNIFE_PARTS)]
    values = [value for value in values if np.isfinite(value)]
    if len(values) < MIN_JACKKNIFE_PARTS:
        return Difference(float("nan"), float("inf"))
    n = len(values)
    spread = np.square(np.array(values) - np.mean(values)).sum()
    mean = _precision_difference(candidate, other, y, np.ones(len(y), bool))
    return Difference(mean, float(np.sqrt((n - 1) / n * spread)))


def _precision_difference(candidate: Floats, other: Floats, y: Floats, rows: Bools) -> float:
    """Return the mean difference in average precision over the horizons with both outcomes; NaN if there is none."""
    differences = []
    for i in range(y.shape[1]):
        selected = rows & ~np.isnan(y[:, i]) & ~np.isnan(other[:, i])
        labels = y[selected, i]
        if labels.any() and not labels.all():
            own = average_precision(labels, candidate[selected, i])
            differences.append(own - average_precision(labels, other[selected, i]))
    return float(np.mean(differences)) if differences else float("nan")


def check_candidate(inputs: GateInputs, config: GateConfig) -> Refusal | None:
    """Return the refusal of a candidate; None if it may serve.

    A candidate may serve if it meets three conditions:

    1. Brier score: better than every baseline, or worse by less than the margin for a baseline in SAME_INPUTS; not
       worse than the incumbent by more than the margin.
    2. Average precision: not worse than a baseline or the incumbent by more than the margin.
    3. Brier skill over climatology: at least `min_skill`.

    If the standard error cannot be estimated, the margin of a Brier score is 0 and average precision is not compared.

    Args:
        inputs: predictions on the holdout.
        config: margin in standard errors, and smallest Brier skill.
    """
    return (
        _compare_with_baselines(inputs, config)
        or _compare_with_incumbent(inputs, config)
        or _compare_rankings(inputs, config)
        or _require_skill(inputs, config)
    )


def _compare_with_baselines(inputs: GateInputs, config: GateConfig) -> Refusal | None:
    """Refuse a candidate that does not beat every baseline on the Brier score.

    Against a baseline in SAME_INPUTS, a Brier score that is worse by less than the margin is accepted.
    """
    for name, baseline in inputs.baselines.items():
        difference = _brier_difference(inputs, baseline)
        chance = name in SAME_INPUTS and np.isfinite(difference.error)
        allowed = config.margin * difference.error if chance else 0.0
        if not difference.mean < allowed:
            return _brier_refusal(RefusalReason.NOT_BETTER_THAN_BASELINE, name, inputs, baseline, difference, allowed)
    return None


def _compare_with_incumbent(inputs: GateInputs, config: GateConfig) -> Refusal | None:
    """Refuse a candidate whose Brier score is worse than that of the incumbent by more than the margin."""
    if inputs.incumbent is None:
        return None
    difference = _brier_difference(inputs, inputs.incumbent)
    # A single block has no standard error: any higher Brier score is refused.
    allowed = config.margin * difference.error if np.isfinite(difference.error) else 0.0
    if difference.mean <= allowed:
        return None
    reason = RefusalReason.WORSE_THAN_INCUMBENT
    return _brier_refusal(reason, INCUMBENT, inputs, inputs.incumbent, difference, allowed)


def _brier_difference(inputs: GateInputs, other: Floats) -> Difference:
    """Return the candidate's Brier score minus that of `other`, and its standard error.

    The standard error is computed over blocks of twice the longest horizon, because neighbouring rows are correlated.
    """
    block = 2 * max(inputs.horizons)
    return brier_difference(inputs.candidate, other, inputs.holdout.y, inputs.holdout.times, block)


def _brier_refusal(
    reason: RefusalReason,
    reference: str,
    inputs: GateInputs,
    other: Floats,
    difference: Difference,
    allowed: float,
) -> Refusal:
    """Return a refusal with the Brier scores of candidate and reference on their common outcomes."""
    y = np.where(np.isnan(other), np.nan, inputs.holdout.y)
    return Refusal(
        reason=reason,
        reference=reference,
        candidate=_brier(inputs.candidate, y),
        other=_brier(other, y),
        difference=difference.mean,
        allowed=allowed,
    )


def _compare_rankings(inputs: GateInputs, config: GateConfig) -> Refusal | None:
    """Refuse a candidate whose average precision is below a baseline's or the incumbent's by more than the margin."""
    others = dict(inputs.baselines)
    if inputs.incumbent is not None:
        others[INCUMBENT] = inputs.incumbent
    for name, other in others.items():
        difference = precision_difference(inputs.candidate, other, inputs.holdout.y)
        allowed = config.margin * difference.error
        # With too few events for a ranking, only the Brier score decides.
        if np.isfinite(difference.error) and difference.mean < -allowed:
            return Refusal(
                reason=RefusalReason.LOWER_RANKING,
                reference=name,
                difference=difference.mean,
                allowed=-allowed,
            )
    return None


def _require_skill(inputs: GateInputs, config: GateConfig) -> Refusal | None:
    """Refuse a candidate whose Brier skill over climatology is below the minimum."""
    reference = _brier(inputs.baselines[CLIMATOLOGY], inputs.holdout.y)
    skill = 1 - _brier(inputs.candidate, inputs.holdout.y) / reference if reference > 0 else 0.0
    if skill >= config.min_skill:
        return None
    return Refusal(RefusalReason.LOW_SKILL, CLIMATOLOGY, candidate=skill, allowed=config.min_skill)


def _brier(p: Floats, y: Floats) -> float:
    """Return the Brier score of probabilities (rows, horizons) over all labels (rows, horizons) that are known."""
    return float(np.nanmean(np.square(p - y)))
