"""Event context: processes at the start of warnings and anomalies."""

from storage.events.process_snapshots import MAX_SNAPSHOTS, ProcessSnapshotRepository
from storage.events.records import ProcessSnapshot, ProcessUsage

__all__ = ["MAX_SNAPSHOTS", "ProcessSnapshot", "ProcessSnapshotRepository", "ProcessUsage"]
