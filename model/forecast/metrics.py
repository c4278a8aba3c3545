"""Prediction scores: Brier score, skill, average precision and calibration error of probabilities.

Functions take labels y (rows,) of 0 and 1, and probabilities p (rows,). Rows with an unknown label are removed
beforehand by `with_known_label`, unless stated otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Floats

CALIBRATION_BINS = 10
"""Number of equally wide bins of the expected calibration error."""


@dataclass(frozen=True)
class Score:
    """Scores of one predictor at one horizon; NaN for a score that cannot be computed.

    Attributes:
        brier: Brier score; lower is better.
        brier_skill: Brier skill over the base rate; 1 for perfect predictions, 0 for the base rate.
        average_precision: average precision, from 0 to 1; higher is better.
        calibration_error: expected calibration error; 0 if each mean probability equals the event rate.
    """

    brier: float
    brier_skill: float
    average_precision: float
    calibration_error: float


def with_known_label(y: Floats, p: Floats) -> tuple[Floats, Floats]:
    """Return labels and probabilities of the rows whose label is known, as float64."""
    rows = ~np.isnan(y)
    return y[rows].astype(np.float64), p[rows].astype(np.float64)


def brier(y: Floats, p: Floats) -> float:
    """Return the Brier score, the mean of (p - y)^2 (Brier 1950); NaN if there are no rows."""
    return float(np.mean((p - y) ** 2)) if len(y) else float("nan")


def average_precision(y: Floats, p: Floats) -> float:
    """Return the average precision, the sum over thresholds of (gain in recall) * precision; NaN if no label is 1.

    Rows with equal p share one threshold.
    """
    if not y.any():
        return float("nan")
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(y[order])
    last_of_ties = np.append(np.diff(p[order]) != 0, True)
    hits = hits[last_of_ties]
    selected = np.flatnonzero(last_of_ties) + 1
    return float(np.sum(np.diff(hits, prepend=0) / hits[-1] * hits / selected))


def calibration_error(y: Floats, p: Floats) -> float:
    """Return the expected calibration error, the mean of |mean p - event rate| over bins, weighted by rows.

    It is NaN if there are no rows.
    """
    if not len(y):
        return float("nan")
    bins = np.minimum((p * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    rows = np.bincount(bins, minlength=CALIBRATION_BINS)
    gap = np.bincount(bins, weights=p - y, minlength=CALIBRATION_BINS)
    return float(np.abs(gap)[rows > 0].sum() / len(y))


def score(y: Floats, p: Floats, base_rate: Floats | float) -> Score:
    """Return Brier score, Brier skill, average precision and calibration error over the rows with a known label.

    The Brier skill is 1 - (Brier score of p) / (Brier score of `base_rate`).

    Args:
        y: (rows,) labels, NaN if unknown.
        p: (rows,) probabilities.
        base_rate: event rate of the training data; an array (rows,) if rows have different training data.
    """
    reference = brier(*with_known_label(y, np.broadcast_to(base_rate, y.shape)))
    y, p = with_known_label(y, p)
    own = brier(y, p)
    return Score(
        brier=own,
        brier_skill=1 - own / reference if reference > 0 else float("nan"),
        average_precision=average_precision(y, p),
        calibration_error=calibration_error(y, p),
    )
