"""Anomalies seen, what their thresholds are made of, and when nothing is to be called one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import Row, delete, func, insert, or_, select, update

from storage.database import Database
from storage.errors import UnknownAnomalyError
from storage.queries import purge
from storage.records import AnomalyPeak, AnomalyRecord, MaintenanceWindow, Verdict
from storage.schema import LOCAL_HOST_ID, anomalies, anomaly_peaks, maintenance_windows

_COLUMNS = anomalies.c[tuple(field.name for field in fields(AnomalyRecord))]
_WINDOW = maintenance_windows.c[tuple(field.name for field in fields(MaintenanceWindow))]


class AnomalyRepository:
    """The anomalies of one host. Every method raises StorageError for what the database refuses."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database, self._host_id = database, host_id
        self._mine = anomalies.c.host_id == host_id

    def add(self, anomaly: AnomalyRecord) -> int:
        """Keeps a new one and returns its id; the id that it carries is ignored."""
        values = asdict(anomaly)
        del values["id"]
        with self._database.writing() as connection:
            query = insert(anomalies).values(host_id=self._host_id, **values).returning(anomalies.c.id)
            return int(connection.execute(query).scalar_one())

    def update(self, anomaly: AnomalyRecord) -> None:
        """Writes how far it has come: its end, its peak and its shares. What the operator says of it stays."""
        seen = {name: getattr(anomaly, name) for name in ("ended_at", "peak", "peak_at", "contributions")}
        with self._database.writing() as connection:
            connection.execute(update(anomalies).where(self._mine, anomalies.c.id == anomaly.id).values(**seen))

    def set_verdict(self, anomaly_id: int, verdict: Verdict, note: str | None, at: float) -> None:
        """Keeps the operator's word.

        Args:
            anomaly_id: of which anomaly.
            verdict: what it was.
            note: in the operator's words.
            at: now, in seconds since the epoch.

        Raises:
            UnknownAnomalyError: this host has no such anomaly.
        """
        word = {"verdict": verdict, "note": note, "verdict_at": at}
        with self._database.writing() as connection:
            done = connection.execute(
                update(anomalies).where(self._mine, anomalies.c.id == anomaly_id).values(**word)
            )
            if done.rowcount == 0:
                raise UnknownAnomalyError(f"{self._database.name}: there is no anomaly {anomaly_id}")

    def get(self, anomaly_id: int) -> AnomalyRecord:
        """One of them.

        Raises:
            UnknownAnomalyError: this host has no such anomaly.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(*_COLUMNS).where(self._mine, anomalies.c.id == anomaly_id)).one_or_none()
        if row is None:
            raise UnknownAnomalyError(f"{self._database.name}: there is no anomaly {anomaly_id}")
        return _record(row)

    def since(self, start: float, limit: int = 1000) -> list[AnomalyRecord]:
        """Those that went on at `start` (seconds) or began later, newest first, at most `limit`."""
        late = or_(anomalies.c.ended_at.is_(None), anomalies.c.ended_at >= start)
        query = (
            select(*_COLUMNS).where(self._mine, late).order_by(anomalies.c.started_at.desc(), anomalies.c.id.desc())
        )
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(query.limit(limit))]

    def ongoing(self) -> AnomalyRecord | None:
        """The one that goes on, or None."""
        query = select(*_COLUMNS).where(self._mine, anomalies.c.ended_at.is_(None)).order_by(anomalies.c.id.desc())
        with self._database.reading() as connection:
            row = connection.execute(query.limit(1)).one_or_none()
        return None if row is None else _record(row)

    def count(self) -> int:
        """How many there have been."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(anomalies).where(self._mine)) or 0

    def last_verdict_at(self) -> float | None:
        """Return the time (seconds since the epoch) of the newest verdict; None without any."""
        query = select(func.max(anomalies.c.verdict_at)).where(self._mine)
        with self._database.reading() as connection:
            newest: float | None = connection.scalar(query)
        return newest

    def replace_peaks(self, at: float, detector: str, peaks: Mapping[str, float]) -> None:
        """Keeps the largest evidence of a stretch, in place of what was kept of it.

        Args:
            at: seconds since the epoch at which the stretch began.
            detector: whose evidence it is, in 16 characters.
            peaks: by channel.
        """
        peak = anomaly_peaks.c
        here = (peak.host_id == self._host_id, peak.detector == detector, peak.at == at)
        rows = [
            {"host_id": self._host_id, "at": at, "channel": channel, "detector": detector, "peak": value}
            for channel, value in peaks.items()
        ]
        with self._database.writing() as connection:
            connection.execute(delete(anomaly_peaks).where(*here))
            connection.execute(insert(anomaly_peaks), rows)

    def peaks(self, detector: str, since: float) -> list[AnomalyPeak]:
        """(at, channel, peak) of one detector's evidence since a moment (seconds), in the order of time."""
        peak = anomaly_peaks.c
        query = (
            select(peak.at, peak.channel, peak.peak)
            .where(peak.host_id == self._host_id, peak.detector == detector, peak.at >= since)
            .order_by(peak.at)
        )
        with self._database.reading() as connection:
            return [AnomalyPeak(*row) for row in connection.execute(query)]

    def add_maintenance_window(self, window: MaintenanceWindow) -> int:
        """Keeps a window and returns its id; the id that it carries is ignored."""
        values: dict[str, Any] = asdict(window)
        del values["id"]
        with self._database.writing() as connection:
            query = (
                insert(maintenance_windows)
                .values(host_id=self._host_id, **values)
                .returning(maintenance_windows.c.id)
            )
            return int(connection.execute(query).scalar_one())

    def end_maintenance_window(self, window_id: int, at: float) -> None:
        """Ends a window at a moment (seconds); one that has not begun is deleted.

        Raises:
            UnknownAnomalyError: this host has no such window.
        """
        this = (maintenance_windows.c.host_id == self._host_id, maintenance_windows.c.id == window_id)
        with self._database.writing() as connection:
            window = connection.execute(select(*_WINDOW).where(*this)).one_or_none()
            if window is None:
                raise UnknownAnomalyError(f"{self._database.name}: there is no maintenance {window_id}")
            found = MaintenanceWindow(*window)
            if found.starts_at >= at:
                connection.execute(delete(maintenance_windows).where(*this))
            else:
                connection.execute(update(maintenance_windows).where(*this).values(ends_at=min(found.ends_at, at)))

    def maintenance_windows(self, since: float) -> list[MaintenanceWindow]:
        """The windows that end after a moment (seconds), in the order of their beginnings."""
        mine = (maintenance_windows.c.host_id == self._host_id, maintenance_windows.c.ends_at > since)
        with self._database.reading() as connection:
            rows = connection.execute(select(*_WINDOW).where(*mine).order_by(maintenance_windows.c.starts_at))
            return [MaintenanceWindow(*row) for row in rows]

    def purge(self, before: float, batch: int = 5000) -> None:
        """Deletes the evidence of before a moment (seconds); anomalies and windows are kept: there are few."""
        purge(self._database, anomaly_peaks, self._host_id, before, batch)


def _record(row: Row[Any]) -> AnomalyRecord:
    record = AnomalyRecord(*row)
    return record if record.verdict is None else replace(record, verdict=Verdict(record.verdict))
