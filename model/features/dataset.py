"""Datasets: labelled feature rows, split by time for training and evaluation.

A random split would leak, because neighbouring rows share windows and outcomes. Training labels whose horizon reaches
into the holdout are made unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from model.array_types import Bools, Floats, Integers, median
from model.features.design_matrix import design_matrix
from model.features.feature_spec import FeatureSpec
from model.features.labels import future_labels
from model.features.rows import Rows, row_chunks
from model.features.spacing import GAP_FACTOR, RECENT_INTERVALS, sample_spacing

AUXILIARY_LEVELS = (0.3, 0.5, 0.7, 0.85)
"""Load-index levels of the auxiliary labels: a label is 1 if the load index reaches its level within a horizon."""

UNKNOWN = np.float32(np.nan)
"""Unknown state or label."""

MIN_STEP = 0.001
"""Smallest valid interval between two samples in seconds: times are stored in whole milliseconds."""


def covered_seconds(times: Floats, step: float) -> float:
    """Return the total time in seconds that samples cover.

    Each sample covers the time until the next sample, but only one `sample_spacing` if a gap follows. The last sample
    covers `step`. The spacing may change within the history, for example between imported and live samples.

    Args:
        times: (rows,) seconds, increasing. Samples less than MIN_STEP after the previous sample are ignored.
        step: typical interval between samples in seconds. It also limits the spacing in the first RECENT_INTERVALS
            intervals, where a gap could distort the median.
    """
    if len(times) == 0:
        return 0.0
    times = times[np.append(True, np.diff(times) >= MIN_STEP)]
    spacing = sample_spacing(times)[1:]
    # The first samples do not show their spacing yet: a gap may be among them.
    spacing[:RECENT_INTERVALS] = np.minimum(spacing[:RECENT_INTERVALS], step)
    elapsed = np.diff(times)
    return float(np.where(elapsed > GAP_FACTOR * spacing, spacing, elapsed).sum() + step)


def typical_step(times: Floats, default: float) -> float:
    """Return the median interval between samples in seconds.

    Args:
        times: (rows,) seconds, increasing. Intervals below MIN_STEP are rounding errors and are ignored.
        default: result if fewer than two intervals remain.
    """
    distances = np.diff(times)
    distances = distances[distances >= MIN_STEP]
    return median(distances) if len(distances) > 1 else default


@dataclass(frozen=True)
class Dataset:
    """Feature rows with labels, in time order.

    Attributes:
        x: (rows, features) float32 design matrix.
        y: (rows, horizons) float32 labels of high load, NaN if unknown.
        auxiliary: (rows, levels * horizons) float32 labels: 1 if the load index reaches the level of AUXILIARY_LEVELS
            within the horizon (the two longest horizons only), 0 if not, NaN if unknown. All horizons of a level
            precede the next level.
        times: (rows,) seconds since the epoch.
        state: (rows,) 1 during high load, 0 otherwise, NaN if unknown.
        high_with_dips: (rows,) True during high load and short dips of the load (`RollingWindow.high_with_dips`).
        spacing: (rows,) `sample_spacing` of the history in seconds; the rows of a dataset may be further apart.
    """

    x: Floats
    y: Floats
    auxiliary: Floats
    times: Floats
    state: Floats
    high_with_dips: Bools
    spacing: Floats

    def __len__(self) -> int:
        return len(self.times)

    def take(self, rows: Integers | slice) -> Dataset:
        """Return the dataset of the rows with the given indices; for a slice, it shares memory with this dataset."""
        return Dataset(*(getattr(self, f.name)[rows] for f in fields(self)))


def concatenate(*parts: Dataset) -> Dataset:
    """Return one dataset with the rows of all parts, which must be given in time order."""
    return Dataset(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Dataset)))


def build_dataset(spec: FeatureSpec, times: Floats, values: Rows, max_rows: int) -> Dataset:
    """Build a dataset from evenly spaced rows of a history; rows without a known label of high load are left out.

    Args:
        spec: feature specification.
        times: (rows,) seconds, increasing.
        values: (rows, columns) in the order of `spec.columns`, NaN where missing.
        max_rows: largest number of rows of the dataset.
    """
    rows = np.linspace(0, len(times) - 1, min(len(times), max_rows)).astype(np.intp)
    x, state, levels, high_with_dips = _compute_features(spec, times, values, rows)
    labels = future_labels(times, state, spec.horizons, rows)
    longest = spec.horizons[-2:]
    # One level after the other: its states of all samples are as large as the times.
    auxiliary = np.concatenate(
        [
            future_labels(times, np.where(levels < 0, UNKNOWN, levels > i), longest, rows)
            for i in range(len(AUXILIARY_LEVELS))
        ],
        axis=1,
    )
    dataset = Dataset(
        x=x,
        y=labels,
        auxiliary=auxiliary,
        times=times[rows],
        state=state[rows].astype(np.float64),
        high_with_dips=high_with_dips[rows],
        spacing=sample_spacing(times)[rows],
    )
    return dataset.take(np.flatnonzero(~np.isnan(labels).all(axis=1)))


def features_at(spec: FeatureSpec, times: Floats, values: Rows, at: Floats) -> Floats:
    """Compute the features of the given samples of a history.

    Args:
        spec: feature specification with the columns of `values`.
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        at: (n,) times of the samples, all of them in `times`, increasing.

    Returns:
        (n, features) float32.
    """
    return _compute_features(spec, times, values, np.searchsorted(times, at))[0]


def _compute_features(
    spec: FeatureSpec, times: Floats, values: Rows, rows: Integers
) -> tuple[Floats, Floats, Integers, Bools]:
    """Compute the features of some samples of a history, and the high-load states of all samples.

    Args:
        spec: feature specification with the columns of `values`.
        times: (rows,) seconds, increasing.
        values: (rows, columns), NaN where missing.
        rows: (n,) indices of the samples whose features are computed, increasing.

    Returns:
        Features (n, features) float32; (rows,) state float32, number of AUXILIARY_LEVELS that the load index reaches
        (-1 if it is unknown) and mask `high_with_dips`, see `Dataset`.
    """
    state = np.empty(len(times), np.float32)
    levels = np.empty(len(times), np.int8)
    high_with_dips = np.empty(len(times), bool)
    x = np.empty((len(rows), len(spec.names)), np.float32)
    window = spec.new_window(bounded=True)
    for part, part_values in row_chunks(values):
        start, end = part.start, part.stop
        window.extend(times[part], part_values)
        first = start - window.dropped_rows
        state[start:end] = window.state[first:]
        index = window.load_index[first:]
        levels[start:end] = np.where(np.isnan(index), -1, np.searchsorted(AUXILIARY_LEVELS, index, side="right"))
        high_with_dips[start:end] = window.high_with_dips(end - start)
        chunk = slice(*np.searchsorted(rows, (start, end)))
        if chunk.stop > chunk.start:
            x[chunk] = design_matrix(spec, window, rows[chunk] - window.dropped_rows)
    return x, state, levels, high_with_dips


@dataclass(frozen=True)
class Split:
    """Training part and holdout of a dataset; all rows of the holdout are newer."""

    train: Dataset
    holdout: Dataset


def split(dataset: Dataset, horizons: Sequence[float], begin: int, end: int) -> Split:
    """Split a dataset by time.

    A training label whose horizon reaches into the holdout is made unknown.

    Args:
        dataset: dataset with at least one row.
        horizons: prediction horizons in seconds.
        begin: index of the first row of the holdout; all rows before it are the training part.
        end: index after the last row of the holdout.
    """
    train = mask_labels(dataset.take(slice(begin)), horizons, float(dataset.times[begin]))
    return Split(train, dataset.take(slice(begin, end)))


def mask_labels(part: Dataset, horizons: Sequence[float], limit: float) -> Dataset:
    """Return a copy of a dataset in which the labels whose horizon ends at or after `limit` are NaN.

    Args:
        part: dataset to copy.
        horizons: prediction horizons in seconds.
        limit: seconds since the epoch.
    """
    remaining = limit - part.times[:, None]
    longest = horizons[-2:]
    auxiliary_horizons = np.tile(longest, part.auxiliary.shape[1] // len(longest))
    return replace(
        part,
        y=np.where(remaining <= np.asarray(horizons), UNKNOWN, part.y),
        auxiliary=np.where(remaining <= auxiliary_horizons, UNKNOWN, part.auxiliary),
    )
