"""Reports on files that commands write and read: models and traces."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.documents.models import ModelExportDocument, ModelImportDocument
from monitor.documents.storage import MigrationDocument
from monitor.documents.traces import PurgeDocument, TraceCountsDocument, TraceImportDocument
from monitor.reports.blocks import Report
from monitor.sampling.import_summary import HistorySource
from monitor.system.formatting import approximate_duration, format_count, format_time

SOURCE_LABELS = {
    HistorySource.CSV: "CSV",
    HistorySource.SADF: "JSON of sadf",
    HistorySource.PROMETHEUS_JSON: "JSON of a Prometheus query",
    HistorySource.PROMETHEUS: "Prometheus API",
}

OLDEST_PLAUSIBLE = 946_684_800.0
"""2000-01-01 in seconds since the epoch: the import report has a note if all rows are older."""


def model_export_report(document: ModelExportDocument) -> Report:
    """Return one line that confirms the export of a model."""
    return Report((f"{document.file}: model {document.model_id}, {document.bytes} bytes",))


def model_import_report(document: ModelImportDocument) -> Report:
    """Return the report of a model import, with the command that activates the model."""
    if document.duplicate:
        return Report((f"the registry has this model already, as model {document.model_id}",))
    return Report(
        (
            f"model {document.model_id} registered, trained on {document.imported_from}; it does not serve",
            *document.notes,
            f"to activate it without the promotion gate: monitor models activate {document.model_id}",
        )
    )


def trace_import_report(document: TraceImportDocument) -> Report:
    """Return the report of a trace import: the stored rows and values, and the rows and cells that were left out."""
    counts = [f"{format_count(document.added, 'sample')} added"]
    if document.filled:
        counts.append(f"{document.filled} filled with {format_count(document.filled_values, 'value')}")
    if document.replaced:
        counts.append(f"{document.replaced} changed by replacing {format_count(document.replaced_values, 'value')}")
    origin = [format_count(document.rows, "row")]
    if document.first_at is not None:
        origin = [f"{origin[0]} from {format_time(document.first_at)} to {format_time(document.last_at)}"]
    rows = {"unordered": document.unordered, "repeated": document.repeated}
    origin += [f"{count} {name}" for name, count in rows.items() if count]
    conflicting: tuple[str, ...] = ()
    if document.conflicting:
        verb = "differs" if document.conflicting == 1 else "differ"
        conflicting = (
            f"  {format_count(document.conflicting, 'row')} {verb} from the stored values, which were kept; "
            "--replace overwrites them",
        )
    ignored = (f"  columns ignored: {', '.join(document.ignored_columns)}",) if document.ignored_columns else ()
    host = f", host {document.host}" if document.host else ""
    return Report(
        (
            *(("dry run: nothing was stored",) if document.dry_run else ()),
            f"{document.file}: {', '.join(counts)} ({', '.join(origin)})",
            f"  source: {SOURCE_LABELS[document.source]}{host}",
            *_field_lines(document),
            *_gap_lines(document),
            *conflicting,
            *bad_cell_lines(document),
            *lines_without_value(document),
            *ignored,
            *(f"  note: {note}" for note in document.notes),
            *_age_lines(document),
            *_spacing_lines(document),
        )
    )


def _field_lines(document: TraceImportDocument) -> tuple[str, ...]:
    """Return the lines with the fields that have values and with those that have none; empty without rows."""
    if not document.fields:
        return ()
    missing = (f"  fields without a value: {', '.join(document.missing_fields)}",) if document.missing_fields else ()
    return (f"  fields: {', '.join(document.fields)}", *missing)


def _gap_lines(document: TraceImportDocument) -> tuple[str, ...]:
    """Return one line with number, length and examples of the gaps; empty if there are none."""
    if not document.gaps:
        return ()
    examples = [f"{format_time(gap.from_)} to {format_time(gap.to)}" for gap in document.longest_gaps]
    total = approximate_duration(document.gap_seconds)
    return (f"  {format_count(document.gaps, 'gap')} of {total} in total: {_listed(examples, document.gaps)}",)


def _age_lines(document: TraceImportDocument) -> tuple[str, ...]:
    """Return the note on rows that are all older than OLDEST_PLAUSIBLE; empty if there are newer rows, or no rows."""
    if document.last_at is None or document.last_at >= OLDEST_PLAUSIBLE:
        return ()
    return (
        f"  note: the newest row is from {format_time(document.last_at)}; are the times seconds since the epoch?",
        "    dates such as 20260301, day numbers and minutes are read as seconds; `monitor purge` removes such rows",
    )


def _spacing_lines(document: TraceImportDocument) -> tuple[str, ...]:
    """Return a note if the median spacing of the rows differs from the sampling interval; otherwise empty."""
    if document.spacing is None or not document.spacing_differs:
        return ()
    spacing = approximate_duration(document.spacing)
    interval = approximate_duration(document.sampling_interval)
    return (
        f"  note: median spacing of the rows is {spacing}, sampling.interval is {interval}",
        f"    models are trained at the median spacing of the history: {interval} once most of its samples are live",
        "    the high-load state and `high_load.sustained` follow the spacing of the newest samples",
    )


def purge_report(document: PurgeDocument) -> Report:
    """Return one line with the numbers of deleted records."""
    period = f"from {format_time(document.from_)} to {format_time(document.to)}"
    if not document.samples and not document.predictions and not document.anomalies:
        return Report((f"nothing stored {period}",))
    predictions = format_count(document.predictions, "prediction")
    derived = f"{predictions}, {format_count(document.anomalies, 'anomaly event')}"
    return Report((f"{format_count(document.samples, 'sample')} {period} deleted, with {derived}",))


def migration_report(document: MigrationDocument) -> Report:
    """Return one line per table with rows, and one with their total."""
    lines = []
    for table in document.tables:
        if table.rows or table.damaged:
            damaged = f", {table.damaged} damaged left out" if table.damaged else ""
            lines.append(f"{table.table:28} {table.rows:10,} rows verified{damaged}")
    total = f"{format_count(document.rows, 'row')} copied from {document.source} to {document.target}"
    return Report((*lines, total))


def bad_cell_lines(counts: TraceCountsDocument | TraceImportDocument) -> tuple[str, ...]:
    """Return one line with number and examples of bad cells, which count as missing; empty if none."""
    if not counts.bad_cells:
        return ()
    examples = [
        f"{f'line {cell.line} ' if cell.line else ''}{cell.column} {cell.text!r}" for cell in counts.bad_cell_examples
    ]
    cells = format_count(counts.bad_cells, "bad cell")
    return (f"  {cells}, taken as missing: {_listed(examples, counts.bad_cells)}",)


def lines_without_value(counts: TraceCountsDocument | TraceImportDocument) -> tuple[str, ...]:
    """Return one line with number and examples of rows without any value; empty if there are none."""
    if not counts.without_value:
        return ()
    numbers = [f"line {number}" for number in counts.lines_without_value]
    rows = format_count(counts.without_value, "row")
    suffix = ", not stored" if isinstance(counts, TraceImportDocument) else ""
    listed = f": {_listed(numbers, counts.without_value)}" if numbers else ""
    return (f"  {rows} without any value{suffix}{listed}",)


def _listed(examples: Sequence[str], count: int) -> str:
    """Return examples in one line, with the number of omitted items; `count` is the number of all items."""
    more = count - len(examples)
    return ", ".join(examples) + (f" and {more} more" if more else "")
