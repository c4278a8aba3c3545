"""Blend: weighted logits of networks, load table and pretrained model, for each horizon.

The networks predict best once there is enough history. The load table maps the present load index to a probability.
The pretrained model was fitted on other hosts. The blend weights are fitted on the holdout, separately for calm and
high load, because predicting an onset differs from predicting the end of a high-load period.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.forecast.calibration import BlendWeights
from model.forecast.log_odds import logit

EXPERTS = ("network", "load_table", "pretrained")
"""Inputs of a blend, in the order of its weights."""

TABLE_BINS = 20
"""Largest number of bins of a load table, with about equal numbers of rows."""

MIN_RATE = 1e-4
"""Smallest probability in a load table: an event that was never observed may still occur."""


def binned_event_rates(score: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the mean score of up to TABLE_BINS bins, and the running maximum of their event rates.

    Args:
        score: (rows,) a higher score means a likelier event.
        y: (rows,) labels, all known.

    Returns:
        Mean scores (bins,), increasing, and rates (bins,), non-decreasing; one bin of 0 and 0 if there are no rows.
    """
    if not len(score):
        return np.zeros(1), np.zeros(1)
    scores, rates, _ = event_rates(score, y)
    return scores, np.maximum.accumulate(rates)


def event_rates(score: Floats, y: Floats) -> tuple[Floats, Floats, Integers]:
    """Return mean score, event rate and number of rows (bins,) of up to TABLE_BINS bins of about equal size.

    Args:
        score: (rows,), not empty.
        y: (rows,) labels, all known.
    """
    order = np.argsort(score, kind="stable")
    # Rows of equal score stay in one bin.
    values, first, count = np.unique(score[order], return_index=True, return_counts=True)
    bins = (np.minimum(first * TABLE_BINS // len(score), TABLE_BINS - 1)).astype(int)
    rows = np.bincount(bins, weights=count, minlength=TABLE_BINS)
    events_per_value = np.add.reduceat(y[order].astype(np.float64), first)
    events = np.bincount(bins, weights=events_per_value, minlength=TABLE_BINS)
    totals = np.bincount(bins, weights=values * count, minlength=TABLE_BINS)
    used = rows > 0
    return totals[used] / rows[used], events[used] / rows[used], rows[used]


@dataclass(frozen=True)
class LoadTable:
    """Piecewise linear mapping from a score, such as the load index, to log-odds or a probability.

    Attributes:
        scores: (points,) increasing.
        values: (points,) log-odds or probability at each score.
        unknown: value for a missing score, computed from the base rate.
    """

    scores: Floats
    values: Floats
    unknown: float

    @property
    def fitted(self) -> bool:
        """False for EMPTY_LOAD_TABLE, the table of a history without known outcomes."""
        return len(self.scores) > 1 or bool(self.scores[0] or self.values[0] or self.unknown)

    def __call__(self, score: Floats) -> Floats:
        """Return the values (rows,) for scores (rows,): constant beyond both ends, `unknown` for NaN."""
        values = np.asarray(np.interp(score, self.scores, self.values))
        np.copyto(values, self.unknown, where=np.isnan(score))
        return values


EMPTY_LOAD_TABLE = LoadTable(np.zeros(1), np.zeros(1), 0.0)


def fit_load_table(score: Floats, y: Floats) -> LoadTable:
    """Fit a table of log-odds to the event rates of up to TABLE_BINS bins; EMPTY_LOAD_TABLE if no row is known.

    Args:
        score: (rows,) NaN if unknown.
        y: (rows,) labels, NaN if unknown.
    """
    known = ~np.isnan(score) & ~np.isnan(y)
    if not known.any():
        return EMPTY_LOAD_TABLE
    centres, rates = binned_event_rates(score[known].astype(np.float64), y[known])
    base_rate = float(logit(np.asarray(y[known].mean()), MIN_RATE))
    return LoadTable(centres, logit(rates, MIN_RATE), base_rate)


@dataclass(frozen=True)
class HorizonBlend:
    """Load table and blend weights of one horizon, with separate weights for calm and high load."""

    load_table: LoadTable
    calm: BlendWeights
    high: BlendWeights

    @property
    def normalized_weights(self) -> tuple[float, ...]:
        """Calm blend weight of each expert, normalized to a sum of 1; all 0 if the sum is 0."""
        total = sum(self.calm.weights)
        return tuple(weight / total if total else 0.0 for weight in self.calm.weights)


class BlendTable:
    """Blend weights of all horizons as arrays, for calm (index 0) and high load (index 1)."""

    def __init__(self, blends: Sequence[HorizonBlend]) -> None:
        """Create the table of a predictor from its blends, one per horizon."""
        states = [[blend.calm for blend in blends], [blend.high for blend in blends]]
        self._weights = np.array([[blend.weights for blend in state] for state in states])
        self._intercepts = np.array([[blend.intercept for blend in state] for state in states])

    def __call__(self, logits: Floats, high: Bools) -> Floats:
        """Return the blended logits (rows, horizons), bit-identical for any number of rows.

        Args:
            logits: (rows, horizons, experts).
            high: (rows,) True during high load.
        """
        state = high.astype(np.intp)
        terms = logits * self._weights[state]
        total = terms[..., 0]
        for expert in range(1, len(EXPERTS)):
            total = total + terms[..., expert]
        return np.asarray(total + self._intercepts[state])


def network_only() -> HorizonBlend:
    """Return a blend that passes the logits of the networks through unchanged."""
    weights = BlendWeights((1.0,) + (0.0,) * (len(EXPERTS) - 1))
    return HorizonBlend(EMPTY_LOAD_TABLE, weights, weights)
