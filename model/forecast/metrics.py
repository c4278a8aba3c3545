"""How good probabilities were.

Each score looks at labels y (rows,) of 0 and 1 and probabilities p (rows,); rows with an unknown label are left
out before by `known`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Floats


@dataclass(frozen=True)
class Score:
    """One predictor at one horizon. A figure that cannot be computed is NaN (average precision without events)."""

    brier: float
    brier_skill: float
    average_precision: float
    calibration_error: float


def known(y: Floats, p: Floats) -> tuple[Floats, Floats]:
    """The rows whose label is known."""
    rows = ~np.isnan(y)
    return y[rows].astype(np.float64), p[rows].astype(np.float64)


def brier(y: Floats, p: Floats) -> float:
    """Mean of (p - y)^2 (Brier 1950)."""
    return float(np.mean((p - y) ** 2)) if len(y) else float("nan")


def average_precision(y: Floats, p: Floats) -> float:
    """Sum over thresholds of (recall gained) * precision; rows of equal p share one threshold. NaN without events."""
    if not y.any():
        return float("nan")
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(y[order])
    last_of_ties = np.append(np.diff(p[order]) != 0, True)
    hits, taken = hits[last_of_ties], np.flatnonzero(last_of_ties) + 1
    return float(np.sum(np.diff(hits, prepend=0) / hits[-1] * hits / taken))


def calibration_error(y: Floats, p: Floats, bins: int = 10) -> float:
    """Expected calibration error: the mean over bins of equal width of |mean p - share of events|, by rows."""
    if not len(y):
        return float("nan")
    which = np.minimum((p * bins).astype(int), bins - 1)
    rows = np.bincount(which, minlength=bins)
    gap = np.bincount(which, weights=p - y, minlength=bins)
    return float(np.abs(gap)[rows > 0].sum() / len(y))


def score(y: Floats, p: Floats, base_rate: float) -> Score:
    """All of them; skill is 1 - brier / (brier of always saying `base_rate`)."""
    y, p = known(y, p)
    reference = brier(y, np.full_like(y, base_rate))
    own = brier(y, p)
    skill = 1 - own / reference if reference > 0 else float("nan")
    return Score(own, skill, average_precision(y, p), calibration_error(y, p))


def threshold_for(y: Floats, p: Floats, precision: float) -> float:
    """The lowest probability at which warnings would have been right with the wanted precision.

    Returns:
        1.0, which no probability reaches, where no threshold does that.
    """
    y, p = known(y, p)
    order = np.argsort(-p, kind="stable")
    right = np.cumsum(y[order]) / np.arange(1, len(y) + 1)
    last_of_ties = np.append(np.diff(p[order]) != 0, True)[: len(y)]
    good = np.flatnonzero(last_of_ties & (right >= precision))
    return float(p[order][good[-1]]) if good.size else 1.0
