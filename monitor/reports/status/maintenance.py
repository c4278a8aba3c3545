"""Maintenance reports: windows in which nothing counts as an anomaly."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.documents.anomalies import MaintenanceDocument, MaintenanceEndDocument
from monitor.documents.status import StatusDocument
from monitor.reports.blocks import Line, Report, Table, Toned, labelled_line
from monitor.system.formatting import format_time


def maintenance_list_report(windows: Sequence[MaintenanceDocument], recurring: str) -> Report:
    """Return a table of maintenance windows; `recurring` describes the configured recurring windows, or is empty."""
    rows = [
        (str(window.id), format_time(window.starts_at), format_time(window.ends_at), window.note)
        for window in windows
    ]
    table = Table(("id", "start", "end", "note"), rows, words={"start", "end", "note"})
    listed = table if rows else "no maintenance is active or planned"
    return Report((listed, f"recurring (anomaly.maintenance): {recurring}") if recurring else (listed,))


def maintenance_report(window: MaintenanceDocument) -> Report:
    """Return one line that confirms a new maintenance window."""
    period = f"from {format_time(window.starts_at)} to {format_time(window.ends_at)}"
    return Report((f"maintenance {window.id}: no anomalies are reported {period}",))


def maintenance_end_report(document: MaintenanceEndDocument) -> Report:
    """Return one line that confirms the end of a maintenance window."""
    return Report((f"maintenance {document.ended} has ended",))


def maintenance_lines(status: StatusDocument) -> list[Line]:
    """Return a line with the state and the stored windows; empty without maintenance."""
    if not status.in_maintenance and not status.maintenance:
        return []
    state = Toned("in progress", "caution") if status.in_maintenance else "planned"
    windows = "; ".join(
        f"{window.id} from {format_time(window.starts_at)} to {format_time(window.ends_at)}"
        for window in status.maintenance
    )
    return [labelled_line("maintenance", state, f": {windows or 'a recurring window'}")]
