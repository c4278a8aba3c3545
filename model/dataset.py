"""Rows to learn from and rows to be judged on, split by time and never across it.

Neighbouring rows share their windows and their futures, so a split at random would mark the network on what it
has seen; and between two parts one horizon is left out, for the labels of the one reach into the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from model.arrays import Floats, Integers
from model.features import FeatureSpec, design
from model.history import History
from model.labels import GAP_FACTOR, future_labels


def covered_seconds(times: Floats, step: float) -> float:
    """Seconds that samples at `times` (rows,) stand for; a gap counts as one step."""
    if len(times) == 0:
        return 0.0
    elapsed = np.diff(times)
    return float(np.where(elapsed > GAP_FACTOR * step, step, elapsed).sum() + step)


def typical_step(times: Floats, default: float) -> float:
    """The median distance of the samples in seconds, or `default` where there are too few to tell."""
    return float(np.median(np.diff(times))) if len(times) > 2 else default


@dataclass(frozen=True)
class Dataset:
    """Design matrix x (rows, features) float32, labels y (rows, horizons) float32 with NaN for unknown.

    `times` (rows,) in seconds and `state` (rows,) say when each row is and whether it was high then.
    """

    x: Floats
    y: Floats
    times: Floats
    state: Floats

    def __len__(self) -> int:
        return len(self.times)

    def take(self, rows: Integers) -> Dataset:
        """Some of the rows."""
        return Dataset(self.x[rows], self.y[rows], self.times[rows], self.state[rows])


def build(spec: FeatureSpec, history: History, horizons: Sequence[float], max_rows: int) -> Dataset:
    """Evenly spread rows of the history, at most `max_rows`, whose label is known for at least one horizon."""
    labels = future_labels(history.times, history.state, horizons, spec.step)
    usable = np.flatnonzero(~np.isnan(labels).all(axis=1))
    stride = max(1, -(-len(usable) // max_rows))
    rows = usable[::stride]
    return Dataset(design(spec, history, rows), labels[rows], history.times[rows], history.state[rows])


@dataclass(frozen=True)
class Split:
    """Past to learn from, then what decides when to stop and how to calibrate, then what judges."""

    train: Dataset
    validation: Dataset
    holdout: Dataset


def split(dataset: Dataset, horizons: Sequence[float], shares: tuple[float, float] = (0.6, 0.8)) -> Split:
    """Three consecutive parts, with one horizon left out at the end of each.

    A label reaches a horizon ahead. Where it would reach into the next part (or past the end of the history,
    where only high load could have become known in time) it is made unknown, each horizon by its own length.

    Args:
        dataset: in order of time, not empty.
        horizons: seconds.
        shares: where in the rows the validation and the holdout part begin.
    """
    n = len(dataset)
    cuts = [0, *(int(n * share) for share in shares), n]
    parts = []
    for first, end in pairwise(cuts):
        part = dataset.take(np.arange(first, end))
        limit = dataset.times[end] if end < n else dataset.times[-1] + 1e-9
        reaches_over = part.times[:, None] + np.asarray(horizons) >= limit
        parts.append(replace(part, y=np.where(reaches_over, np.float32(np.nan), part.y)))
    return Split(*parts)
