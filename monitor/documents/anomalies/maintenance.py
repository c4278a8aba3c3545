"""Maintenance documents: JSON form of maintenance windows."""

from __future__ import annotations

from dataclasses import dataclass

from storage import MaintenanceWindow


@dataclass(frozen=True)
class MaintenanceDocument:
    """One maintenance window; an entry of `monitor maintenance list`, and the result of `monitor maintenance add`.

    Attributes:
        id: ID of the window.
        starts_at: seconds since the epoch.
        ends_at: seconds since the epoch.
        note: the operator's note; empty if there is none.
    """

    id: int
    starts_at: float
    ends_at: float
    note: str


@dataclass(frozen=True)
class MaintenanceEndDocument:
    """Result of `monitor maintenance end`.

    Attributes:
        ended: ID of the maintenance window.
    """

    ended: int


def maintenance_document(window: MaintenanceWindow) -> MaintenanceDocument:
    """Convert a stored maintenance window to its JSON document."""
    return MaintenanceDocument(id=window.id, starts_at=window.starts_at, ends_at=window.ends_at, note=window.note)
