"""Trace importer: merges the rows of a file into the stored samples, with their account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.sampling.trace_reader import TraceRows
from storage import MergedRows, SampleRepository, quantize_values

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.intp]

BATCH_TIMES = 1000
"""Times merged in one transaction, so that a sampling daemon does not wait for long."""


@dataclass
class ImportCounts:
    """Account of the rows of a file: each row is in exactly one of the first five counts.

    Attributes:
        added: rows stored under a time that had no sample.
        filled: rows that filled missing values of a sample, and replaced none.
        replaced: rows that replaced values of a sample.
        repeated: rows without a new value for the sample of their time.
        without_value: rows without any value, which are not stored.
        filled_values: values filled.
        replaced_values: values replaced.
        conflicting: rows with a value that differs from the stored one, which was kept.
    """

    added: int = 0
    filled: int = 0
    replaced: int = 0
    repeated: int = 0
    without_value: int = 0
    filled_values: int = 0
    replaced_values: int = 0
    conflicting: int = 0


def import_rows(samples: SampleRepository, rows: TraceRows, *, replace: bool = False) -> ImportCounts:
    """Store the rows of a file.

    A row without any value is not stored. Of several rows with the same time the first value of each field counts.
    Stored values stay as they are, unless they are to be replaced; a missing value never replaces one.

    Args:
        samples: repository to write.
        rows: rows in any order.
        replace: replace stored values by different ones.
    """
    has_value = ~np.isnan(rows.values).all(axis=1)
    counts = ImportCounts(without_value=int(np.sum(~has_value)))
    used = np.flatnonzero(has_value)
    order = used[np.argsort(rows.times[used], kind="stable")]
    for batch in _batches(rows.times, order):
        _import_batch(samples, rows.times[batch], rows.values[batch], rows.columns, counts, replace=replace)
    return counts


def simulate_import(
    stored: SampleRepository, scratch: SampleRepository, rows: TraceRows, *, replace: bool
) -> ImportCounts:
    """Return what an import would do, without a change of the stored samples.

    Args:
        stored: repository to read.
        scratch: repository of an otherwise unused database, which receives copies of the samples concerned; pass the
            same one for all files of one import.
        rows: rows in any order.
        replace: replace stored values by different ones.
    """
    times = np.unique(rows.times)
    for start in range(0, len(times), BATCH_TIMES):
        scratch.insert_missing(stored.at_times(times[start : start + BATCH_TIMES]))
    return import_rows(scratch, rows, replace=replace)


def _batches(times: Array, order: Integers) -> Iterator[Integers]:
    """Yield parts of `order`, each with all rows of its times."""
    starts = np.flatnonzero(np.append(True, np.diff(times[order]) > 0)[: len(order)])
    for first in range(0, len(starts), BATCH_TIMES):
        last = first + BATCH_TIMES
        end = starts[last] if last < len(starts) else len(order)
        yield order[starts[first] : end]


def _import_batch(
    samples: SampleRepository,
    times: Array,
    values: Array,
    fields: tuple[str, ...],
    counts: ImportCounts,
    *,
    replace: bool,
) -> None:
    """Store rows that are ordered by time, and add to the counts."""
    values = quantize_values(values, fields)
    is_first = np.append(True, np.diff(times) > 0)
    merged, contributed = _merge_repetitions(values, is_first)
    result = samples.merge(times[is_first], merged, fields, replace=replace)
    _count_rows(counts, result, values, contributed, is_first)


def _merge_repetitions(values: Array, is_first: Bools) -> tuple[Array, Bools]:
    """Merge the rows of each time.

    Args:
        values: (rows, fields) ordered by time; NaN for a missing value.
        is_first: (rows,) True for the first row of each time.

    Returns:
        (times, fields) first value of each field, and (rows, fields) True for the values that count.
    """
    merged = values[is_first]
    contributed = ~np.isnan(values)
    group = np.cumsum(is_first) - 1
    for row in np.flatnonzero(~is_first):
        target = merged[group[row]]
        contributed[row] &= np.isnan(target)
        target[contributed[row]] = values[row, contributed[row]]
    return merged, contributed


def _count_rows(counts: ImportCounts, result: MergedRows, values: Array, contributed: Bools, is_first: Bools) -> None:
    """Put each row into one of the counts."""
    group = np.cumsum(is_first) - 1
    added = is_first & ~result.is_stored[group]
    overwrote = contributed & result.overwritten[group]
    filled = contributed & result.written[group] & ~overwrote & ~added[:, None]
    is_replacing = overwrote.any(axis=1)
    is_filling = filled.any(axis=1) & ~is_replacing
    # Of missing values no comparison is true.
    differs = (values < result.values[group]) | (values > result.values[group])
    counts.added += int(added.sum())
    counts.replaced += int(is_replacing.sum())
    counts.filled += int(is_filling.sum())
    counts.repeated += int((~added & ~is_replacing & ~is_filling).sum())
    counts.filled_values += int(filled.sum())
    counts.replaced_values += int(overwrote.sum())
    counts.conflicting += int(differs.any(axis=1).sum())
