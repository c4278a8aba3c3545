"""Stored samples: arrays and detector rows, read in chunks to bound memory."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

import numpy as np

from model.anomaly.resampling import resample
from model.array_types import Floats
from model.features.rows import Rows
from monitor.stores import TIME_EPSILON, Stores
from storage import SAMPLE_FIELDS, Sample

CHUNK_SECONDS = 1800.0
"""Seconds of samples that are read at once."""

CHUNK_ROWS = 1800
"""Number of samples that are read at once for a model: a query costs as much as a thousand rows."""

MAX_PLAIN_ROWS = 800_000
"""Largest number of samples whose values are read as one array of 100 MB: six weeks at 5 s."""

_VALUES = attrgetter(*SAMPLE_FIELDS)


def sample_values(sample: Sample) -> Floats:
    """Return the values (SAMPLE_FIELDS,) of a sample, NaN where missing."""
    return np.array(_VALUES(sample), dtype=np.float64)


def read_samples(
    stores: Stores, columns: tuple[str, ...], start: float, until: float, chunk_seconds: float = CHUNK_SECONDS
) -> Iterator[Floats]:
    """Yield the samples after `start` up to `until`, chunk by chunk.

    Args:
        stores: repositories.
        columns: names of the sample fields to read.
        start: seconds since the epoch, excluded.
        until: seconds since the epoch, included.
        chunk_seconds: seconds of samples per chunk.

    Yields:
        (rows, 1 + columns) time and values, NaN where missing; chunks may be empty.

    Raises:
        StorageError: the samples cannot be read.
    """
    while start < until:
        end = min(start + chunk_seconds, until)
        yield stores.samples.between(start, end, columns)
        start = end


def read_rows(
    stores: Stores, columns: tuple[str, ...], step: float, start: float, until: float
) -> Iterator[tuple[float, Floats]]:
    """Yield the rows of the samples in [start, until) that have at least one value, as the detector reads them.

    Args:
        stores: repositories.
        columns: names of the sample fields to read.
        step: row interval in seconds.
        start: seconds since the epoch, a multiple of the row interval.
        until: seconds since the epoch, a multiple of the row interval.

    Yields:
        Start of the row in seconds since the epoch, and (columns,) mean values, NaN where missing.

    Raises:
        StorageError: the samples cannot be read.
    """
    # Read in multiples of the row interval, so that no row is split.
    batch = max(CHUNK_SECONDS // step, 1) * step
    for samples in read_samples(stores, columns, start - TIME_EPSILON, until - TIME_EPSILON, batch):
        times, rows = resample(samples[:, 0], samples[:, 1:], step)
        for at, row in zip(times.tolist(), rows, strict=True):
            if np.isfinite(row).any():
                yield at, row


def read_history(stores: Stores, start: float, until: float) -> tuple[Floats, Rows]:
    """Return the times (rows,) and values (rows, SAMPLE_FIELDS) of the samples after `start` up to `until`.

    The values of a long history stay compressed, and are decoded part by part.

    Args:
        stores: repositories.
        start: seconds since the epoch, excluded.
        until: seconds since the epoch, included.

    Raises:
        StorageError: the samples cannot be read.
    """
    if stores.samples.count_between(start, until) > MAX_PLAIN_ROWS:
        snapshot = stores.samples.snapshot(start, until)
        return snapshot.times, snapshot
    rows = stores.samples.between(start, until)
    return rows[:, 0], rows[:, 1:]
