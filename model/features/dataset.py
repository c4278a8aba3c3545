"""Rows to learn from and rows to be judged on, split by time and never across it.

Neighbouring rows share their windows and their futures, so a split at random would mark the network on what it
has seen; and between two parts one horizon is left out, for the labels of the one reach into the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from model.array_types import Floats, Integers
from model.features.features import FeatureSpec, design_matrix
from model.features.labels import GAP_FACTOR, future_labels


def covered_seconds(times: Floats, step: float) -> float:
    """Seconds that samples at `times` (rows,) stand for; a gap counts as one step."""
    if len(times) == 0:
        return 0.0
    elapsed = np.diff(times)
    return float(np.where(elapsed > GAP_FACTOR * step, step, elapsed).sum() + step)


def typical_step(times: Floats, default: float) -> float:
    """The median distance of the samples in seconds, or `default` where there are too few to tell."""
    return float(np.median(np.diff(times))) if len(times) > 2 else default


LEVELS = (0.3, 0.5, 0.7, 0.85)
"""How far the load index may come: that it reaches these is learned beside high load itself, for practice."""

CHUNK_ROWS = 50_000
"""Samples gone through at once: features of a year must not need a year of sums in memory."""


@dataclass(frozen=True)
class Dataset:
    """Design matrix x (rows, features) float32, labels y (rows, horizons) float32 with NaN for unknown.

    `practice` (rows, any number) are labels of lesser events, likewise; `times` (rows,) in seconds and `state`
    (rows,) say when each row is and whether it was high then.
    """

    x: Floats
    y: Floats
    practice: Floats
    times: Floats
    state: Floats

    def __len__(self) -> int:
        return len(self.times)

    def take(self, rows: Integers) -> Dataset:
        """Some of the rows."""
        return Dataset(*(getattr(self, f.name)[rows] for f in fields(self)))


def joined(*parts: Dataset) -> Dataset:
    """Parts in the order of time as one."""
    return Dataset(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Dataset)))


def build(spec: FeatureSpec, times: Floats, values: Floats, max_rows: int) -> Dataset:
    """Evenly spread moments of a history, at most `max_rows`, whose label is known for at least one horizon.

    Args:
        spec: what to make of the samples.
        times: (rows,) seconds, increasing.
        values: (rows, columns of the spec), NaN where missing.
        max_rows: how many moments at most.
    """
    rows = np.linspace(0, len(times) - 1, min(len(times), max_rows)).astype(np.intp)
    x, state, index = _gone_through(spec, times, values, rows)
    labels = future_labels(times, state, spec.horizons, spec.step, rows)
    furthest = spec.horizons[-2:]
    reached = [np.where(np.isnan(index), np.nan, index >= level) for level in LEVELS]
    practice = np.concatenate([future_labels(times, r, furthest, spec.step, rows) for r in reached], axis=1)
    dataset = Dataset(x, labels, practice, times[rows], state[rows])
    return dataset.take(np.flatnonzero(~np.isnan(labels).all(axis=1)))


def features_at(spec: FeatureSpec, times: Floats, values: Floats, at: Floats) -> Floats:
    """The features of some moments of a history.

    Args:
        spec: made for the same columns.
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        at: (n,) moments, each one of `times`, increasing.

    Returns:
        (n, features).
    """
    return _gone_through(spec, times, values, np.searchsorted(times, at))[0]


def _gone_through(spec: FeatureSpec, times: Floats, values: Floats, rows: Integers) -> tuple[Floats, Floats, Floats]:
    """The features (n, features) of some rows, increasing; state and load index (rows,) of all."""
    state, index = np.empty(len(times)), np.empty(len(times))
    x = np.empty((len(rows), len(spec.names)), np.float32)
    history = spec.history(live=True)
    for start in range(0, len(times), CHUNK_ROWS):
        end = min(start + CHUNK_ROWS, len(times))
        history.extend(times[start:end], values[start:end])
        first = start - history.forgotten
        state[start:end], index[start:end] = history.state[first:], history.load_index[first:]
        here = slice(*np.searchsorted(rows, (start, end)))
        if here.stop > here.start:
            x[here] = design_matrix(spec, history, rows[here] - history.forgotten)
    return x, state, index


@dataclass(frozen=True)
class Split:
    """Past to learn from, and what came after it, which judges."""

    train: Dataset
    holdout: Dataset


def split(dataset: Dataset, horizons: Sequence[float], share: float = 0.8) -> Split:
    """Two consecutive parts, with one horizon left out at the end of each.

    A label reaches a horizon ahead. Where it would reach into the next part (or past the end of the history,
    where only high load could have become known in time) it is made unknown, each horizon by its own length.

    Args:
        dataset: in order of time, not empty.
        horizons: seconds.
        share: where in the rows the holdout begins.
    """
    n = len(dataset)
    cut = int(n * share)
    train, holdout = dataset.take(np.arange(cut)), dataset.take(np.arange(cut, n))
    end = float(dataset.times[-1]) + 1e-9
    return Split(ending(train, horizons, float(dataset.times[cut])), ending(holdout, horizons, end))


def ending(part: Dataset, horizons: Sequence[float], limit: float) -> Dataset:
    """The same rows, without the labels that reach to the moment `limit` (seconds) or beyond."""
    left = limit - part.times[:, None]
    unknown = np.float32(np.nan)
    lesser = np.tile(horizons[-2:], part.practice.shape[1] // len(horizons[-2:]))
    return replace(
        part,
        y=np.where(left <= np.asarray(horizons), unknown, part.y),
        practice=np.where(left <= lesser, unknown, part.practice),
    )
