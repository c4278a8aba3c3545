"""Trace importer: merge of trace rows into the stored samples, with counts of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.sampling.trace_reader import TraceRows
from storage import MergedRows, SampleRepository, quantize_values

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.intp]

BATCH_TIMES = 1000
"""Number of distinct times merged in one transaction, so that a sampling daemon does not wait for long."""


@dataclass
class ImportCounts:
    """Counts of imported rows; each row counts once as added, filled, replaced, repeated or without a value.

    Attributes:
        added: number of rows stored as a new sample.
        filled: number of rows that filled missing values of a sample, and replaced no value.
        replaced: number of rows that replaced values of a sample.
        repeated: number of rows that changed nothing: for each value of such a row, the sample already had a value.
        without_value: number of rows without any value, which are not stored.
        filled_values: number of values filled.
        replaced_values: number of values replaced.
        conflicting: number of rows with a value that differs from the stored value, which was kept.
    """

    added: int = 0
    filled: int = 0
    replaced: int = 0
    repeated: int = 0
    without_value: int = 0
    filled_values: int = 0
    replaced_values: int = 0
    conflicting: int = 0


def import_rows(
    samples: SampleRepository,
    rows: TraceRows,
    *,
    replace: bool = False,
    on_change: Callable[[float, float], object] = lambda *_: None,
) -> ImportCounts:
    """Merge the rows of a file into the stored samples; return how many were added, filled, replaced or repeated.

    A row without any value is not stored. For duplicate timestamps, the first value of each field is used. A missing
    value never replaces a stored value.

    Args:
        samples: repository to write.
        rows: rows in any order.
        replace: True replaces stored values that differ; False keeps stored values.
        on_change: called after each transaction that wrote a value, with the first and the last changed time in
            seconds since the epoch.
    """
    has_value = ~np.isnan(rows.values).all(axis=1)
    counts = ImportCounts(without_value=int(np.sum(~has_value)))
    used = np.flatnonzero(has_value)
    order = used[np.argsort(rows.times[used], kind="stable")]
    for batch in _batches(rows.times, order):
        changed = _import_batch(samples, rows.times[batch], rows.values[batch], rows.columns, counts, replace=replace)
        if len(changed):
            on_change(float(changed[0]), float(changed[-1]))
    return counts


def simulate_import(
    stored: SampleRepository, scratch: SampleRepository, rows: TraceRows, *, replace: bool
) -> ImportCounts:
    """Return the counts that `import_rows` would return, without changing the stored samples.

    Args:
        stored: repository to read.
        scratch: repository of a temporary database. It receives copies of the stored samples at the times of the
            rows. Pass the same repository for all files of one import.
        rows: rows in any order.
        replace: True replaces stored values that differ; False keeps stored values.
    """
    times = np.unique(rows.times)
    for start in range(0, len(times), BATCH_TIMES):
        scratch.insert_missing(stored.at_times(times[start : start + BATCH_TIMES]))
    return import_rows(scratch, rows, replace=replace)


def _batches(times: Array, order: Integers) -> Iterator[Integers]:
    """Yield the row indices in batches; each batch has all rows of at most BATCH_TIMES distinct times.

    Args:
        times: (rows,) seconds since the epoch.
        order: indices of rows, ordered by time.
    """
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
) -> Array:
    """Merge one batch of rows into the stored samples in one transaction.

    Args:
        samples: repository to write.
        times: (rows,) seconds since the epoch, in ascending order; may contain duplicates.
        values: (rows, fields); NaN for a missing value.
        fields: field of each column of `values`.
        counts: counts to which the rows are added.
        replace: True replaces stored values that differ; False keeps stored values.

    Returns:
        The times (n,) of the samples in which a value was written, in seconds since the epoch.
    """
    values = quantize_values(values, fields)
    is_first = np.append(True, np.diff(times) > 0)
    merged, contributed = _merge_duplicates(values, is_first)
    result = samples.merge(times[is_first], merged, fields, replace=replace)
    _count_rows(counts, result, values, contributed, is_first)
    return np.asarray(times[is_first][result.written.any(axis=1)])


def _merge_duplicates(values: Array, is_first: Bools) -> tuple[Array, Bools]:
    """Merge the rows of each distinct time into one row, which has the first value of each field.

    Args:
        values: (rows, fields) ordered by time; NaN for a missing value.
        is_first: (rows,) True for the first row of each time.

    Returns:
        The merged values (times, fields); and a mask (rows, fields) of the values that were copied to them.
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
    """Add the rows of one batch, and the values they filled or replaced, to `counts`.

    Each row counts once as added, replaced, filled or repeated. It also counts as conflicting if one of its values
    differs from the stored value.

    Args:
        counts: counts to update.
        result: result of storing the merged rows, with one row per distinct time.
        values: (rows, fields) ordered by time; NaN for a missing value.
        contributed: (rows, fields) True for each value that was copied to the merged rows.
        is_first: (rows,) True for the first row of each time.
    """
    group = np.cumsum(is_first) - 1
    added = is_first & ~result.is_stored[group]
    overwrote = contributed & result.overwritten[group]
    filled = contributed & result.written[group] & ~overwrote & ~added[:, None]
    is_replacing = overwrote.any(axis=1)
    is_filling = filled.any(axis=1) & ~is_replacing
    # Comparisons with NaN are False: a missing value does not differ.
    differs = (values < result.values[group]) | (values > result.values[group])
    counts.added += int(added.sum())
    counts.replaced += int(is_replacing.sum())
    counts.filled += int(is_filling.sum())
    counts.repeated += int((~added & ~is_replacing & ~is_filling).sum())
    counts.filled_values += int(filled.sum())
    counts.replaced_values += int(overwrote.sum())
    counts.conflicting += int(differs.any(axis=1).sum())
