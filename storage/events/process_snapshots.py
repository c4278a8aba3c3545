"""Process snapshot repository: processes at the start of warnings and anomalies, bounded in number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any, get_type_hints

from sqlalchemy import delete, func, insert, select

from storage.database import Database
from storage.events.records import ProcessSnapshot, ProcessUsage
from storage.events.tables import process_snapshots
from storage.queries import purge, purge_between
from storage.rows import cell_reader, read_json, record_decoder
from storage.schema import LOCAL_HOST_ID, anomalies

MAX_SNAPSHOTS = 1000
"""Largest number of stored snapshots; the oldest ones are deleted."""

_COLUMNS = process_snapshots.c[tuple(field.name for field in fields(ProcessSnapshot))]
_USAGE_READERS = {name: cell_reader(hint) for name, hint in get_type_hints(ProcessUsage).items()}


def _read_processes(value: Any) -> tuple[ProcessUsage, ...]:
    """Return the processes in a cell with JSON text.

    Raises:
        ValueError: the text is not a list of processes.
    """
    entries = read_json(value)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("not a list of objects")
    return tuple(
        ProcessUsage(**{name: read(entry.get(name)) for name, read in _USAGE_READERS.items()}) for entry in entries
    )


_SNAPSHOTS = record_decoder(process_snapshots.name, ProcessSnapshot, {"processes": _read_processes})


class ProcessSnapshotRepository:
    """Process snapshots of one host. Every method raises StorageError if the database refuses the operation."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id
        self._own = process_snapshots.c.host_id == host_id

    def add(self, snapshots: Sequence[ProcessSnapshot]) -> None:
        """Store snapshots and delete the oldest ones above MAX_SNAPSHOTS, in one transaction; IDs are ignored."""
        rows = [{**asdict(snapshot), "host_id": self._host_id} for snapshot in snapshots]
        for row in rows:
            del row["id"]
        newest = select(process_snapshots.c.id).where(self._own).order_by(process_snapshots.c.id.desc())
        kept = newest.limit(MAX_SNAPSHOTS)
        with self._database.writing() as connection:
            connection.execute(insert(process_snapshots), rows)
            connection.execute(delete(process_snapshots).where(self._own, process_snapshots.c.id.not_in(kept)))

    def of_anomaly(self, anomaly_id: int) -> ProcessSnapshot | None:
        """Return the snapshot of an anomaly event; None if there is none."""
        query = select(*_COLUMNS).where(self._own, process_snapshots.c.anomaly_id == anomaly_id)
        with self._database.reading() as connection:
            return _SNAPSHOTS.first(self._database.damaged_rows, connection, query)

    def of_warnings(self, since: float, limit: int = 100) -> list[ProcessSnapshot]:
        """Return the snapshots of the warnings that started at `since` or later, newest first.

        Args:
            since: seconds since the epoch.
            limit: largest number of snapshots to return.
        """
        snapshot = process_snapshots.c
        query = (
            select(*_COLUMNS)
            .where(self._own, snapshot.horizon.is_not(None), snapshot.started_at >= since)
            .order_by(snapshot.started_at.desc(), snapshot.horizon)
        )
        with self._database.reading() as connection:
            return _SNAPSHOTS.read_first(limit, self._database.damaged_rows, connection, query)

    def count(self) -> int:
        """Return the number of stored snapshots."""
        query = select(func.count()).select_from(process_snapshots).where(self._own)
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def purge(self, before: float) -> int:
        """Delete the snapshots before a time (seconds since the epoch), and return their number."""
        return purge(self._database, process_snapshots, self._host_id, before, MAX_SNAPSHOTS)

    def purge_between(self, start: float, end: float) -> int:
        """Delete the snapshots in a period, and those of anomaly events that are no longer stored.

        Args:
            start: seconds since the epoch, inclusive.
            end: seconds since the epoch, inclusive.

        Returns:
            The number of snapshots deleted.
        """
        stored = select(anomalies.c.id).where(anomalies.c.host_id == self._host_id)
        anomaly_id = process_snapshots.c.anomaly_id
        # Without the first condition, NULL would be "not in" an empty table.
        orphaned = (anomaly_id.is_not(None), anomaly_id.not_in(stored))
        with self._database.writing() as connection:
            deleted = connection.execute(delete(process_snapshots).where(self._own, *orphaned)).rowcount
        return deleted + purge_between(self._database, process_snapshots, self._host_id, start, end)
