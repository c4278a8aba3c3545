"""Trace documents: JSON form of trace statistics, imports and purges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from monitor.sampling.history_spacing import spacing_differs
from monitor.sampling.import_summary import HistorySource, ImportSummary
from monitor.sampling.trace_format.statistics import BadCell
from monitor.sampling.trace_reader import TraceStatistics
from storage import SAMPLE_FIELDS

LISTED_GAPS = 5
"""Largest number of gaps that a document lists."""


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
class ImportOrigin:
    """Source of an import.

    Attributes:
        file: path of the file, or URL of the server without credentials.
        source: format of the file; `PROMETHEUS` for a server.
        host: host of the rows as the source names it; empty if the source names none.
        notes: remarks about the source.
    """

    file: str
    source: HistorySource
    host: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class GapDocument:
    """Interval without rows.

    Attributes:
        from_: time of the row before it, in seconds since the epoch.
        to: time of the row after it.
    """

    from_: float
    to: float


@dataclass(frozen=True)
class TraceImportDocument:
    """Result of `monitor import` for one file or server.

    `rows` is added + filled + replaced + repeated + without_value.

    Attributes:
        file: path of the file, or URL of the server without credentials.
        source: format of the file; `prometheus` for a server.
        host: host of the rows as the source names it; empty if the source names none.
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
        fields: fields with at least one value.
        missing_fields: fields without any value.
        gaps: number of intervals between two rows that are longer than 2.5 times `spacing`.
        gap_seconds: their total length.
        longest_gaps: the longest of them, by time.
        notes: remarks about the source, such as the warnings of a server.
    """

    file: str
    source: HistorySource
    host: str
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
    fields: tuple[str, ...]
    missing_fields: tuple[str, ...]
    gaps: int
    gap_seconds: float
    longest_gaps: tuple[GapDocument, ...]
    notes: tuple[str, ...]


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
    origin: ImportOrigin, summary: ImportSummary, sampling_interval: float, *, dry_run: bool
) -> TraceImportDocument:
    """Convert the summary of an import to its JSON document.

    Args:
        origin: source of the rows.
        summary: totals of the import.
        sampling_interval: configured seconds between two samples.
        dry_run: True if nothing was stored.
    """
    statistics = summary.statistics
    spacing = summary.spacing
    first_at, last_at = summary.period or (None, None)
    gaps = summary.gaps()
    lengths = gaps[:, 1] - gaps[:, 0]
    longest = sorted((-lengths).argsort(kind="stable")[:LISTED_GAPS].tolist())
    return TraceImportDocument(
        file=origin.file,
        source=origin.source,
        host=origin.host,
        dry_run=dry_run,
        rows=statistics.rows,
        **asdict(summary.counts),
        lines_without_value=tuple(statistics.lines_without_value),
        unordered=statistics.unordered,
        bad_cells=statistics.bad_cells,
        bad_cell_examples=tuple(statistics.bad_cell_examples),
        ignored_columns=summary.ignored,
        first_at=first_at,
        last_at=last_at,
        spacing=spacing,
        sampling_interval=sampling_interval,
        spacing_differs=spacing is not None and spacing_differs(spacing, sampling_interval),
        fields=tuple(sorted(summary.fields, key=SAMPLE_FIELDS.index)),
        missing_fields=summary.missing_fields,
        gaps=len(gaps),
        gap_seconds=float(lengths.sum()),
        longest_gaps=tuple(GapDocument(*gaps[row].tolist()) for row in longest),
        notes=tuple(origin.notes),
    )
