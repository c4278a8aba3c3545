"""Documents of imported traces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from monitor.sampling.trace_reader import TraceStatistics


@dataclass(frozen=True)
class TraceCountsDocument:
    """Rows of a trace.

    Attributes:
        rows: all rows.
        unordered: rows with a time before the previous row.
        repeated: rows with a time that exists already.
        bad_cells: cells without a valid number.
        future: rows far in the future.
    """

    rows: int
    unordered: int
    repeated: int
    bad_cells: int
    future: int


@dataclass(frozen=True)
class TraceImportDocument(TraceCountsDocument):
    """Result of `monitor import` for one file.

    Attributes:
        file: path of the file.
        added: number of samples that were added.
    """

    file: str
    added: int


def trace_counts_document(counts: TraceStatistics) -> TraceCountsDocument:
    """Return the document of the rows of a trace."""
    return TraceCountsDocument(
        rows=counts.rows,
        unordered=counts.unordered,
        repeated=counts.repeated,
        bad_cells=counts.bad_cells,
        future=counts.future,
    )


def trace_import_document(file: Path, counts: TraceStatistics, added: int) -> TraceImportDocument:
    """Return the document of an import; `added` samples were new."""
    return TraceImportDocument(
        rows=counts.rows,
        unordered=counts.unordered,
        repeated=counts.repeated,
        bad_cells=counts.bad_cells,
        future=counts.future,
        file=str(file),
        added=added,
    )
