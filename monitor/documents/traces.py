"""Trace documents: JSON form of trace statistics, imports and purges."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from monitor.sampling.history_spacing import median_spacing, spacing_differs
from monitor.sampling.trace_format.statistics import BadCell
from monitor.sampling.trace_importer import ImportCounts
from monitor.sampling.trace_reader import TraceRows, TraceStatistics


@dataclass(frozen=True)
class TraceCountsDocument:
    """Numbers of rows and cells of a trace.

    Attributes:
        rows: number of all rows.
        unordered: number of rows that follow a row with a later timestamp.
        repeated: number of rows with a duplicate timestamp.
        bad_cells: number of cells that are not a number within the bounds of their field; they count as missing.
        bad_cell_examples: the first bad cells.
        without_value: number of rows in which no cell has a value.
        lines_without_value: line numbers of the first rows without a value.
    """

    rows: int
    unordered: int
    repeated: int
    bad_cells: int
    bad_cell_examples: tuple[BadCell, ...]
    without_value: int
    lines_without_value: tuple[int, ...]


@dataclass(frozen=True)
class TraceImportDocument:
    """Result of `monitor import` for one file; `rows` is added + filled + replaced + repeated + without_value.

    Attributes:
        file: path of the file.
        dry_run: True if nothing was stored.
        rows: number of all rows.
        added: number of rows stored as a new sample.
        filled: number of rows that filled missing values of a sample, and replaced none.
        replaced: number of rows that replaced values of a sample.
        repeated: number of rows that neither added, filled nor replaced a value.
        without_value: number of rows in which no cell has a value; they are not stored.
        lines_without_value: line numbers of the first rows without a value.
        filled_values: number of values filled.
        replaced_values: number of values replaced.
        conflicting: number of rows with a value that differs from the stored value, which was kept.
        unordered: number of rows that follow a row with a later timestamp.
        bad_cells: number of cells that are not a number within the bounds of their field; they count as missing.
        bad_cell_examples: the first bad cells.
        ignored_columns: columns that were not read.
        first_at: earliest time in seconds since the epoch; None if there are no rows.
        last_at: latest time in seconds since the epoch; None if there are no rows.
        spacing: median spacing of the rows with a value, in seconds; None if they have fewer than three times.
        sampling_interval: `sampling.interval` of the configuration, in seconds.
        spacing_differs: True if one of `spacing` and `sampling_interval` is more than 1.5 times the other.
    """

    file: str
    dry_run: bool
    rows: int
    added: int
    filled: int
    replaced: int
    repeated: int
    without_value: int
    lines_without_value: tuple[int, ...]
    filled_values: int
    replaced_values: int
    conflicting: int
    unordered: int
    bad_cells: int
    bad_cell_examples: tuple[BadCell, ...]
    ignored_columns: tuple[str, ...]
    first_at: float | None
    last_at: float | None
    spacing: float | None
    sampling_interval: float
    spacing_differs: bool


@dataclass(frozen=True)
class PurgeDocument:
    """Result of `monitor purge`.

    Attributes:
        from_: first time of the period in seconds since the epoch, inclusive.
        to: last time of the period, inclusive.
        samples: number of deleted samples.
        predictions: number of deleted predictions, live and replayed.
        anomalies: number of deleted anomaly events, all without a verdict.
        process_snapshots: number of deleted snapshots of the processes at the start of a warning or an anomaly.
    """

    from_: float
    to: float
    samples: int
    predictions: int
    anomalies: int
    process_snapshots: int


def trace_counts_document(counts: TraceStatistics) -> TraceCountsDocument:
    """Convert the statistics of a trace to their JSON document."""
    return TraceCountsDocument(
        rows=counts.rows,
        unordered=counts.unordered,
        repeated=counts.repeated,
        bad_cells=counts.bad_cells,
        bad_cell_examples=tuple(counts.bad_cell_examples),
        without_value=counts.without_value,
        lines_without_value=tuple(counts.lines_without_value),
    )


def trace_import_document(
    file: Path, rows: TraceRows, counts: ImportCounts, sampling_interval: float, *, dry_run: bool
) -> TraceImportDocument:
    """Convert the result of importing one file to its JSON document.

    Args:
        file: path of the file.
        rows: rows of the file.
        counts: result of the import.
        sampling_interval: configured seconds between two samples.
        dry_run: True if nothing was stored.
    """
    has_value = ~np.isnan(rows.values).all(axis=1)
    spacing = median_spacing(rows.times[has_value])
    return TraceImportDocument(
        file=str(file),
        dry_run=dry_run,
        rows=rows.counts.rows,
        **asdict(counts),
        lines_without_value=tuple(rows.counts.lines_without_value),
        unordered=rows.counts.unordered,
        bad_cells=rows.counts.bad_cells,
        bad_cell_examples=tuple(rows.counts.bad_cell_examples),
        ignored_columns=rows.ignored,
        first_at=float(rows.times.min()) if len(rows.times) else None,
        last_at=float(rows.times.max()) if len(rows.times) else None,
        spacing=spacing,
        sampling_interval=sampling_interval,
        spacing_differs=spacing is not None and spacing_differs(spacing, sampling_interval),
    )
