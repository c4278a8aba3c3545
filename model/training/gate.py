"""Whether a candidate may serve.

It is judged on the most recent data, which no part of it has seen, beside what serves now and beside what anyone
could say without a network. A refusal names the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats
from model.features.dataset import Dataset
from model.forecast.baselines import CLIMATOLOGY, CURRENT_VALUE, HOLT_WINTERS
from model.forecast.metrics import average_precision
from model.training.settings import GateConfig

JACKKNIFE = 10
"""Consecutive parts of a holdout, each left out in turn."""

WITHIN = (CURRENT_VALUE, HOLT_WINTERS)
"""Baselines that see no more than a candidate: it may look as much worse than them as chance allows."""


@dataclass(frozen=True)
class Difference:
    """Mean Brier score of the candidate less that of another, with the standard error of that mean."""

    mean: float
    error: float


def brier_difference(candidate: Floats, other: Floats, y: Floats, times: Floats, block: float) -> Difference:
    """How much worse the candidate is, over all known labels of all horizons.

    Neighbouring rows tell the same story: the error comes from the means of blocks of `block` seconds.

    Args:
        candidate: (rows, horizons) probabilities.
        other: (rows, horizons) probabilities.
        y: (rows, horizons) labels, NaN unknown.
        times: (rows,) seconds.
        block: seconds.
    """
    excess = np.square(candidate - y) - np.square(other - y)
    rows = ~np.isnan(excess).all(axis=1)
    if not rows.any():
        return Difference(float("nan"), float("inf"))
    by_row = np.nanmean(excess[rows], axis=1)
    which = ((times[rows] - times[rows][0]) // block).astype(int)
    _, which = np.unique(which, return_inverse=True)
    sizes = np.bincount(which)
    means = np.bincount(which, weights=by_row) / sizes
    spread = float(np.std(means, ddof=1) / np.sqrt(len(means))) if len(means) > 1 else float("inf")
    return Difference(float(by_row.mean()), spread)


def precision_difference(candidate: Floats, other: Floats, y: Floats) -> Difference:
    """Mean average precision of the candidate over the horizons less that of another.

    The error is a jackknife's over consecutive tenths of the holdout (Efron and Stein 1981).

    Args:
        candidate: (rows, horizons) probabilities.
        other: (rows, horizons) probabilities, NaN at horizons that it does not know.
        y: (rows, horizons) labels, NaN unknown.
    """
    tenth = np.arange(len(y)) * JACKKNIFE // max(len(y), 1)
    without = [_precision(candidate, other, y, tenth != part) for part in range(JACKKNIFE)]
    without = [value for value in without if np.isfinite(value)]
    if len(without) < JACKKNIFE / 2:
        return Difference(float("nan"), float("inf"))
    n, spread = len(without), np.square(np.array(without) - np.mean(without)).sum()
    return Difference(_precision(candidate, other, y, np.ones(len(y), bool)), float(np.sqrt((n - 1) / n * spread)))


def _precision(candidate: Floats, other: Floats, y: Floats, rows: Bools) -> float:
    found = []
    for i in range(y.shape[1]):
        here = rows & ~np.isnan(y[:, i]) & ~np.isnan(other[:, i])
        labels = y[here, i]
        if labels.any() and not labels.all():
            found.append(average_precision(labels, candidate[here, i]) - average_precision(labels, other[here, i]))
    return float(np.mean(found)) if found else float("nan")


def refusal(
    candidate: Floats,
    baselines: Mapping[str, Floats],
    incumbent: Floats | None,
    holdout: Dataset,
    horizons: Sequence[float],
    config: GateConfig,
) -> str | None:
    """The reason why the candidate may not serve, or None.

    By its Brier score it must be better than every baseline (than those of WITHIN not worse by more than the margin)
    and not worse than the serving model by more than the margin; by its average precision it must not be worse than
    any of them by more than the margin.

    Args:
        candidate: (rows, horizons) probabilities on the holdout rows.
        baselines: by name, likewise.
        incumbent: likewise, NaN at horizons that it does not know; None where no model serves.
        holdout: labels and times.
        horizons: seconds.
        config: the margin.
    """
    block = 2 * max(horizons)
    for name, other in baselines.items():
        found = brier_difference(candidate, other, holdout.y, holdout.times, block)
        # what the candidate can do itself, chance may do a little better
        allowed = config.margin * found.error if name in WITHIN and np.isfinite(found.error) else 0.0
        if not found.mean < allowed:
            return f"it is not better than {name} ({_numbers(candidate, other, holdout.y)})"
    if incumbent is not None:
        found = brier_difference(candidate, incumbent, holdout.y, holdout.times, block)
        # One block has no error to speak of: then the plain difference decides.
        allowed = config.margin * found.error if np.isfinite(found.error) else 0.0
        if not found.mean <= allowed:
            return (
                f"it is worse than the serving model ({_numbers(candidate, incumbent, holdout.y)}, "
                f"difference {found.mean:+.4f}, allowed {allowed:.4f})"
            )
    return _ranks_worse(candidate, baselines, incumbent, holdout, config) or _too_little_skill(
        candidate, baselines, holdout, config
    )


def _ranks_worse(
    candidate: Floats, baselines: Mapping[str, Floats], incumbent: Floats | None, holdout: Dataset, config: GateConfig
) -> str | None:
    others = dict(baselines) if incumbent is None else {**baselines, "the serving model": incumbent}
    for name, other in others.items():
        found = precision_difference(candidate, other, holdout.y)
        allowed = config.margin * found.error
        # too few events to rank: the Brier score has decided
        if np.isfinite(found.error) and found.mean < -allowed:
            return f"it ranks worse than {name} (average precision {found.mean:+.3f}, allowed {-allowed:.3f})"
    return None


def _too_little_skill(
    candidate: Floats, baselines: Mapping[str, Floats], holdout: Dataset, config: GateConfig
) -> str | None:
    reference = _brier(baselines[CLIMATOLOGY], holdout.y)
    skill = 1 - _brier(candidate, holdout.y) / reference if reference > 0 else 0.0
    if skill < config.min_skill:
        return f"its Brier skill over climatology is {skill:.3f}, gate.min_skill asks for {config.min_skill:g}"
    return None


def _brier(p: Floats, y: Floats) -> float:
    return float(np.nanmean(np.square(p - y)))


def _numbers(candidate: Floats, other: Floats, y: Floats) -> str:
    # an incumbent without one of the horizons is NaN there: both are marked on the same outcomes
    y = np.where(np.isnan(other), np.nan, y)
    return f"mean Brier score {_brier(candidate, y):.4f} against {_brier(other, y):.4f}"
