"""Anomaly repository: anomaly events with verdicts, half-hour maxima of score parts, maintenance windows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update

from storage.database import Database
from storage.errors import StorageErrorKind, UnknownAnomalyError
from storage.queries import purge, purge_between
from storage.records import AnomalyPeak, AnomalyRecord, MaintenanceWindow, Verdict
from storage.rows import record_decoder, tuple_decoder
from storage.schema import LOCAL_HOST_ID, anomalies, anomaly_peaks, maintenance_windows

_ANOMALY_COLUMNS = anomalies.c[tuple(field.name for field in fields(AnomalyRecord))]
_WINDOW_COLUMNS = maintenance_windows.c[tuple(field.name for field in fields(MaintenanceWindow))]

_ANOMALIES = record_decoder(anomalies.name, AnomalyRecord)
_SPANS = tuple_decoder(anomalies.name, float, float)
_TIME = tuple_decoder(anomalies.name, float | None)
_PEAKS = record_decoder(anomaly_peaks.name, AnomalyPeak)
_WINDOWS = record_decoder(maintenance_windows.name, MaintenanceWindow)


class AnomalyRepository:
    """Anomalies, peaks and maintenance windows of one host. A refused operation raises StorageError."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id
        self._own = anomalies.c.host_id == host_id
        self._live = anomalies.c.replayed.is_(False)
        self._own_windows = maintenance_windows.c.host_id == host_id

    def add(self, anomaly: AnomalyRecord) -> int:
        """Store a new anomaly and return the ID assigned by the database; `anomaly.id` is ignored."""
        query = insert(anomalies).values(self._row(anomaly)).returning(anomalies.c.id)
        with self._database.writing() as connection:
            return int(connection.execute(query).scalar_one())

    def replace_replayed(self, start: float, end: float, new: Sequence[AnomalyRecord]) -> int:
        """Replace the replayed anomalies without a verdict that overlap a period, in one transaction.

        Args:
            start: seconds since the epoch, inclusive.
            end: seconds since the epoch, inclusive.
            new: replayed anomalies; an anomaly that overlaps an anomaly kept in the database is not stored.

        Returns:
            The number of anomalies stored.
        """
        overlaps = (self._own, anomalies.c.started_at <= end, anomalies.c.ended_at >= start)
        unjudged = (~self._live, anomalies.c.verdict.is_(None))
        spans = select(anomalies.c.started_at, func.coalesce(anomalies.c.ended_at, 1e300)).where(self._own)
        with self._database.writing() as connection:
            connection.execute(delete(anomalies).where(*overlaps, *unjudged))
            stored = _SPANS.read(self._database.damaged_rows, connection, spans)
            added = [
                self._row(anomaly)
                for anomaly in new
                if not any(a <= (anomaly.ended_at or end) and b >= anomaly.started_at for a, b in stored)
            ]
            if added:
                connection.execute(insert(anomalies), added)
        return len(added)

    def update(self, anomaly: AnomalyRecord) -> None:
        """Store the end, the peak and the contributions of an anomaly; keep the stored verdict."""
        values = {name: getattr(anomaly, name) for name in ("ended_at", "peak", "peak_at", "contributions")}
        with self._database.writing() as connection:
            connection.execute(update(anomalies).where(self._own, anomalies.c.id == anomaly.id).values(**values))

    def set_verdict(self, anomaly_id: int, verdict: Verdict | None, note: str | None, at: float) -> None:
        """Store the operator's verdict and note.

        Args:
            anomaly_id: ID of the anomaly.
            verdict: the operator's label; None keeps the stored one.
            note: the operator's explanation; None keeps the stored one, and an empty one deletes it.
            at: time of the verdict, in seconds since the epoch.

        Raises:
            UnknownAnomalyError: the host has no such anomaly.
        """
        judged = {} if verdict is None else {"verdict": verdict.value, "verdict_at": at}
        noted = {} if note is None else {"note": note or None}
        query = update(anomalies).where(self._own, anomalies.c.id == anomaly_id).values(judged | noted)
        with self._database.writing() as connection:
            if connection.execute(query).rowcount == 0:
                raise self._unknown(f"there is no anomaly {anomaly_id}")

    def get(self, anomaly_id: int) -> AnomalyRecord:
        """Return a stored anomaly with its verdict.

        Raises:
            UnknownAnomalyError: the host has no such anomaly.
        """
        query = select(*_ANOMALY_COLUMNS).where(self._own, anomalies.c.id == anomaly_id)
        with self._database.reading() as connection:
            anomaly = _ANOMALIES.first(self._database.damaged_rows, connection, query)
        if anomaly is None:
            raise self._unknown(f"there is no anomaly {anomaly_id}")
        return anomaly

    def since(self, start: float, limit: int = 1000, *, live: bool = False) -> list[AnomalyRecord]:
        """Return the anomalies that are in progress or ended at `start` or later, newest first.

        Args:
            start: seconds since the epoch.
            limit: largest number of anomalies to return.
            live: True to leave out replayed anomalies.
        """
        recent = [self._own, or_(anomalies.c.ended_at.is_(None), anomalies.c.ended_at >= start)]
        newest_first = (anomalies.c.started_at.desc(), anomalies.c.id.desc())
        query = select(*_ANOMALY_COLUMNS).where(*recent, *([self._live] if live else []))
        query = query.order_by(*newest_first)
        with self._database.reading() as connection:
            return _ANOMALIES.read_first(limit, self._database.damaged_rows, connection, query)

    def ongoing(self) -> AnomalyRecord | None:
        """Return the newest live anomaly in progress; None if there is none."""
        in_progress = (self._own, self._live, anomalies.c.ended_at.is_(None))
        query = select(*_ANOMALY_COLUMNS).where(*in_progress).order_by(anomalies.c.id.desc())
        with self._database.reading() as connection:
            return _ANOMALIES.first(self._database.damaged_rows, connection, query)

    def count(self) -> int:
        """Return the number of live anomalies, in progress or ended."""
        query = select(func.count()).select_from(anomalies).where(self._own, self._live)
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def last_verdict_at(self) -> float | None:
        """Return the time of the newest verdict in seconds since the epoch; None if there is none."""
        query = select(func.max(anomalies.c.verdict_at)).where(self._own, anomalies.c.verdict_at <= math.inf)
        with self._database.reading() as connection:
            newest = _TIME.first(self._database.damaged_rows, connection, query)
        return None if newest is None else newest[0]

    def replace_peaks(self, at: float, detector: str, peaks: Mapping[str, float]) -> None:
        """Store the maxima of one half-hour interval, replacing the stored maxima of the same interval.

        Args:
            at: start of the interval, in seconds since the epoch.
            detector: fingerprint of the detector that computed the scores, at most 16 characters.
            peaks: maximum of each score part in the interval; the keys are stored as `channel`.
        """
        peak = anomaly_peaks.c
        same_interval = (peak.host_id == self._host_id, peak.detector == detector, peak.at == at)
        rows = [
            {"host_id": self._host_id, "at": at, "channel": channel, "detector": detector, "peak": value}
            for channel, value in peaks.items()
        ]
        with self._database.writing() as connection:
            connection.execute(delete(anomaly_peaks).where(*same_interval))
            connection.execute(insert(anomaly_peaks), rows)

    def peaks(self, detector: str, since: float) -> list[AnomalyPeak]:
        """Return the stored half-hour maxima of all score parts of one detector, ordered by time.

        Args:
            detector: fingerprint of the detector.
            since: seconds since the epoch; intervals that start earlier are left out.
        """
        peak = anomaly_peaks.c
        query = (
            select(peak.at, peak.channel, peak.peak)
            .where(peak.host_id == self._host_id, peak.detector == detector, peak.at >= since)
            .order_by(peak.at)
        )
        with self._database.reading() as connection:
            return _PEAKS.read(self._database.damaged_rows, connection, query)

    def purge_peaks(self, before: float, batch: int = 5000) -> None:
        """Delete old peaks in short transactions. Anomalies and maintenance windows are few, and are kept.

        Args:
            before: peaks before this time (seconds since the epoch) are deleted.
            batch: number of rows selected in one transaction.
        """
        purge(self._database, anomaly_peaks, self._host_id, before, batch)

    def purge_between(self, start: float, end: float) -> int:
        """Delete the anomalies without a verdict that lie within a period, and the peaks in the period.

        Anomalies with a verdict are kept, because the operator labelled them. An anomaly in progress is also kept.

        Args:
            start: seconds since the epoch, inclusive.
            end: seconds since the epoch, inclusive.

        Returns:
            The number of anomalies deleted.
        """
        inside = (self._own, anomalies.c.started_at >= start, anomalies.c.ended_at <= end)
        with self._database.writing() as connection:
            deleted = connection.execute(delete(anomalies).where(*inside, anomalies.c.verdict.is_(None))).rowcount
        purge_between(self._database, anomaly_peaks, self._host_id, start, end)
        return deleted

    def add_maintenance_window(self, window: MaintenanceWindow) -> int:
        """Store a maintenance window and return the ID assigned by the database; `window.id` is ignored."""
        values = asdict(window)
        del values["id"]
        query = insert(maintenance_windows).values(host_id=self._host_id, **values)
        with self._database.writing() as connection:
            return int(connection.execute(query.returning(maintenance_windows.c.id)).scalar_one())

    def end_maintenance_window(self, window_id: int, at: float) -> None:
        """End a maintenance window, or delete it if it has not started.

        Args:
            window_id: ID of the window.
            at: new end, in seconds since the epoch; a window that ended earlier is not changed.

        Raises:
            UnknownAnomalyError: the host has no such window.
        """
        selected = (self._own_windows, maintenance_windows.c.id == window_id)
        with self._database.writing() as connection:
            query = select(*_WINDOW_COLUMNS).where(*selected)
            window = _WINDOWS.first(self._database.damaged_rows, connection, query)
            if window is None:
                raise self._unknown(f"there is no maintenance window {window_id}")
            if window.starts_at >= at:
                connection.execute(delete(maintenance_windows).where(*selected))
            else:
                end = min(window.ends_at, at)
                connection.execute(update(maintenance_windows).where(*selected).values(ends_at=end))

    def maintenance_windows(self, since: float) -> list[MaintenanceWindow]:
        """Return the maintenance windows that end after `since` (seconds since the epoch), earliest first."""
        window = maintenance_windows.c
        query = select(*_WINDOW_COLUMNS).where(self._own_windows, window.ends_at > since).order_by(window.starts_at)
        with self._database.reading() as connection:
            return _WINDOWS.read(self._database.damaged_rows, connection, query)

    def _row(self, anomaly: AnomalyRecord) -> dict[str, Any]:
        values = asdict(anomaly)
        del values["id"]
        return {"host_id": self._host_id, **values}

    def _unknown(self, detail: str) -> UnknownAnomalyError:
        return UnknownAnomalyError(f"{self._database.name}: {detail}", StorageErrorKind.UNKNOWN_ANOMALY)
