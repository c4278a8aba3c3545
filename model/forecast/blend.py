"""What a probability is mixed from, for each horizon: the networks, the present load alone, and a prior.

The networks know the host best once there is enough to learn from; what each load was followed by is a table that
cannot be too sure of what it has not seen; the prior was learned on other hosts. How much each counts is decided by
what they said of a part of the history that none has seen, apart for calm and high moments: whether a stretch goes on
is another question than whether one begins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Bools, Floats
from model.forecast.calibration import BlendWeights
from model.nn.numerics import logit

EXPERTS = ("networks", "load", "prior")

BINS = 20
"""Equal shares of the past that a table tells apart."""

RAREST = 1e-4
"""The smallest probability that a table gives: that something was never seen does not make it impossible."""


def followed(score: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Scores, increasing, and how often the event followed: in equal shares of the past, never falling.

    Args:
        score: (rows,) the higher the likelier.
        y: (rows,) labels, all known.
    """
    if not len(score):
        return np.zeros(1), np.zeros(1)
    order = np.argsort(score, kind="stable")
    # moments of one score stay together
    values, first, count = np.unique(score[order], return_index=True, return_counts=True)
    share = (np.minimum(first * BINS // len(score), BINS - 1)).astype(int)
    weight = np.bincount(share, weights=count, minlength=BINS)
    events = np.bincount(share, weights=np.add.reduceat(y[order].astype(np.float64), first), minlength=BINS)
    centre = np.bincount(share, weights=values * count, minlength=BINS)
    used = weight > 0
    return centre[used] / weight[used], np.maximum.accumulate(events[used] / weight[used])


@dataclass(frozen=True)
class LoadTable:
    """What a score such as the load index is worth as a forecast: (points,) scores, increasing, and the values there.

    The values are logits in all that serves. `unknown` is that of a missing score: the base rate.
    """

    scores: Floats
    values: Floats
    unknown: float

    def __call__(self, score: Floats) -> Floats:
        """Scores (rows,) to values, linear in between."""
        return np.where(np.isnan(score), self.unknown, np.interp(score, self.scores, self.values))


EMPTY_LOAD_TABLE = LoadTable(np.zeros(1), np.zeros(1), 0.0)


def fit_load_table(score: Floats, y: Floats) -> LoadTable:
    """What was followed by what, in logits, of moments (rows,); labels may be unknown."""
    both = ~np.isnan(score) & ~np.isnan(y)
    if not both.any():
        return EMPTY_LOAD_TABLE
    centres, shares = followed(score[both].astype(np.float64), y[both])
    return LoadTable(centres, logit(shares, RAREST), float(logit(np.asarray(y[both].mean()), RAREST)))


@dataclass(frozen=True)
class HorizonBlend:
    """One horizon's: the table, and the weights of the voices while load is calm and while it is high."""

    load_table: LoadTable
    calm: BlendWeights
    high: BlendWeights

    def __call__(self, logits: Floats, high: Bools) -> Floats:
        """What the voices say (rows, voices) to logits (rows,)."""
        return np.where(high, self.high(logits), self.calm(logits))

    @property
    def shares(self) -> tuple[float, ...]:
        """How much each voice counts while load is calm; they add up to 1."""
        total = sum(self.calm.weights)
        return tuple(weight / total if total else 0.0 for weight in self.calm.weights)


def single_expert(voices: int = 1) -> HorizonBlend:
    """Only the first voice, as it is."""
    weights = (1.0,) + (0.0,) * (voices - 1)
    return HorizonBlend(EMPTY_LOAD_TABLE, BlendWeights(weights), BlendWeights(weights))
