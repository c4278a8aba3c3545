"""Reports on files that commands write and read: models and traces."""

from __future__ import annotations

from monitor.documents.models import ModelExportDocument, ModelImportDocument
from monitor.documents.traces import TraceCountsDocument, TraceImportDocument
from monitor.reports.blocks import Report


def model_export_report(document: ModelExportDocument) -> Report:
    """Return one line that confirms the export of a model."""
    return Report((f"{document.file}: model {document.model_id}, {document.bytes} bytes",))


def model_import_report(document: ModelImportDocument) -> Report:
    """Return the report of an import, with the command that lets the model serve."""
    if document.duplicate:
        return Report((f"the registry has this model already, as model {document.model_id}",))
    return Report(
        (
            f"model {document.model_id} registered, trained on {document.imported_from}; it does not serve",
            *document.notes,
            f"to let it serve without the gate of this host: monitor models activate {document.model_id}",
        )
    )


def trace_import_report(document: TraceImportDocument) -> Report:
    """Return the line on an imported trace."""
    return Report((f"{document.file}: {document.added} samples added ({_counts(document)})",))


def _counts(counts: TraceCountsDocument) -> str:
    problems = {
        "unordered": counts.unordered,
        "repeated": counts.repeated,
        "bad cells": counts.bad_cells,
        "in the future": counts.future,
    }
    return ", ".join([f"{counts.rows} rows", *(f"{count} {name}" for name, count in problems.items() if count)])
