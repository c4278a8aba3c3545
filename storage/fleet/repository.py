"""Fleet repository: hosts, newest predictions, warnings and score totals of one fleet process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, bindparam, delete, func, insert, select, update

from storage.database import Database
from storage.fleet.records import SCORE_SUMS, FleetChange, FleetHost, FleetScore, FleetWarning, HostPrediction
from storage.fleet.tables import fleet_hosts, fleet_predictions, fleet_score_totals, fleet_warnings
from storage.rows import record_decoder, tuple_decoder
from storage.schema import LOCAL_HOST_ID

DAY = 86400.0
"""Seconds of the intervals that old score totals are merged into."""

_HOSTS = record_decoder(fleet_hosts.name, FleetHost)
_IDS = tuple_decoder(fleet_hosts.name, str, int)
_PREDICTIONS = record_decoder(fleet_predictions.name, HostPrediction, key=2)
_WARNINGS = record_decoder(fleet_warnings.name, FleetWarning, key=3)
_SCORES = record_decoder(fleet_score_totals.name, FleetScore, key=3)
_HOURS = tuple_decoder(fleet_score_totals.name, float)
_KEYS = tuple_decoder(fleet_score_totals.name, int, float, float)


class FleetRepository:
    """Stored fleet of one process. A refused operation raises StorageError."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id

    def save(self, change: FleetChange) -> None:
        """Store a change in one transaction, without the records of hosts that were never stored."""
        with self._database.writing() as connection:
            ids = self._save_hosts(connection, change.hosts)
            self._save_warnings(connection, ids, change.warnings)
            self._add_scores(connection, ids, change.scores)
            if change.predictions is not None:
                connection.execute(delete(fleet_predictions).where(fleet_predictions.c.host_id == self._host_id))
                _insert(connection, fleet_predictions, self._rows(ids, change.predictions))

    def hosts(self) -> list[FleetHost]:
        """Return all stored hosts, ordered by name."""
        query = select(*_columns(FleetHost, fleet_hosts)).where(fleet_hosts.c.host_id == self._host_id)
        with self._database.reading() as connection:
            return _HOSTS.read(self._database.damaged_rows, connection, query.order_by(fleet_hosts.c.host))

    def predictions(self, host: str | None = None) -> list[HostPrediction]:
        """Return the newest predictions of one host or of all, ordered by host and horizon."""
        query = self._joined(HostPrediction, fleet_predictions, host)
        query = query.order_by(fleet_hosts.c.host, fleet_predictions.c.horizon)
        with self._database.reading() as connection:
            return _PREDICTIONS.read(self._database.damaged_rows, connection, query)

    def active_warnings(self) -> list[FleetWarning]:
        """Return the warnings that have not ended, ordered by host and horizon."""
        query = self._joined(FleetWarning, fleet_warnings, None, fleet_warnings.c.ended_at.is_(None))
        query = query.order_by(fleet_hosts.c.host, fleet_warnings.c.horizon)
        with self._database.reading() as connection:
            return _WARNINGS.read(self._database.damaged_rows, connection, query)

    def warnings(self, since: float, host: str | None = None, limit: int = 1000) -> list[FleetWarning]:
        """Return the warnings that started at `since` (seconds since the epoch) or later, newest first.

        Args:
            since: seconds since the epoch.
            host: value of the host label; None for all hosts.
            limit: largest number of warnings.
        """
        query = self._joined(FleetWarning, fleet_warnings, host, fleet_warnings.c.started_at >= since)
        query = query.order_by(fleet_warnings.c.started_at.desc(), fleet_hosts.c.host, fleet_warnings.c.horizon)
        with self._database.reading() as connection:
            return _WARNINGS.read_first(limit, self._database.damaged_rows, connection, query)

    def scores(self, since: float, host: str | None = None) -> list[FleetScore]:
        """Return the sums of the totals from `since` (seconds since the epoch) on, one per host and horizon.

        The `hour` of a sum is that of its oldest totals.
        """
        table = fleet_score_totals
        sums = [func.sum(table.c[name]) for name in SCORE_SUMS]
        query = select(fleet_hosts.c.host, table.c.horizon, func.min(table.c.hour), *sums)
        query = query.select_from(table.join(fleet_hosts, _is_member(table)))
        query = query.where(*self._selected(table, host), table.c.hour >= since)
        query = query.group_by(fleet_hosts.c.host, table.c.horizon).order_by(fleet_hosts.c.host, table.c.horizon)
        with self._database.reading() as connection:
            return _SCORES.read(self._database.damaged_rows, connection, query)

    def merge_scores(self, before: float) -> int:
        """Merge the hourly totals of whole days before a time into days, and return the number of days.

        Args:
            before: seconds since the epoch.
        """
        merged = 0
        while (day := self._unmerged_day(before)) is not None:
            self._merge_day(day)
            merged += 1
        return merged

    def purge(self, before: float) -> None:
        """Delete totals and warnings that ended before a time, and hosts last seen before it.

        Args:
            before: seconds since the epoch.
        """
        own = fleet_hosts.c.host_id == self._host_id
        old = select(fleet_hosts.c.member_id).where(own, fleet_hosts.c.last_seen < before)
        with self._database.writing() as connection:
            for table in (fleet_predictions, fleet_warnings, fleet_score_totals):
                connection.execute(delete(table).where(table.c.member_id.in_(old)))
            connection.execute(delete(fleet_hosts).where(own, fleet_hosts.c.last_seen < before))
            ended = (fleet_warnings.c.host_id == self._host_id, fleet_warnings.c.ended_at < before)
            connection.execute(delete(fleet_warnings).where(*ended))
            totals = fleet_score_totals.c
            connection.execute(
                delete(fleet_score_totals).where(totals.host_id == self._host_id, totals.hour < before)
            )

    def _save_hosts(self, connection: Connection, hosts: Sequence[FleetHost]) -> dict[str, int]:
        """Insert or update hosts, and return the IDs of all."""
        ids = self._ids(connection)
        known = [host for host in hosts if host.host in ids]
        new = [{"host_id": self._host_id, **asdict(host)} for host in hosts if host.host not in ids]
        if known:
            changed = update(fleet_hosts).where(fleet_hosts.c.member_id == bindparam("member"))
            changed = changed.values(last_seen=bindparam("seen"))
            connection.execute(changed, [{"member": ids[host.host], "seen": host.last_seen} for host in known])
        _insert(connection, fleet_hosts, new)
        return self._ids(connection) if new else ids

    def _ids(self, connection: Connection) -> dict[str, int]:
        query = select(fleet_hosts.c.host, fleet_hosts.c.member_id).where(fleet_hosts.c.host_id == self._host_id)
        return dict(_IDS.read(self._database.damaged_rows, connection, query))

    def _save_warnings(self, connection: Connection, ids: dict[str, int], warnings: Sequence[FleetWarning]) -> None:
        rows = self._rows(ids, warnings)
        if rows:
            keys = ("host_id", "member_id", "horizon", "started_at")
            same = and_(*(fleet_warnings.c[key] == bindparam(f"the_{key}") for key in keys))
            same_keys = [{f"the_{key}": row[key] for key in keys} for row in rows]
            connection.execute(delete(fleet_warnings).where(same), same_keys)
            _insert(connection, fleet_warnings, rows)

    def _add_scores(self, connection: Connection, ids: dict[str, int], scores: Sequence[FleetScore]) -> None:
        """Add totals to the stored ones of the same host, horizon and hour."""
        rows = self._rows(ids, scores)
        if not rows:
            return
        table = fleet_score_totals
        stored = select(table.c.member_id, table.c.horizon, table.c.hour).where(
            table.c.host_id == self._host_id, table.c.hour.in_(sorted({row["hour"] for row in rows}))
        )
        known = set(_KEYS.read(self._database.damaged_rows, connection, stored))
        added: list[dict[str, Any]] = []
        new: list[dict[str, Any]] = []
        for row in rows:
            (added if (row["member_id"], row["horizon"], row["hour"]) in known else new).append(row)
        if added:
            keys = ("host_id", "member_id", "horizon", "hour")
            same = and_(*(table.c[key] == bindparam(f"the_{key}") for key in keys))
            sums = {name: table.c[name] + bindparam(f"the_{name}") for name in SCORE_SUMS}
            values = [{f"the_{key}": value for key, value in row.items()} for row in added]
            connection.execute(update(table).where(same).values(sums), values)
        _insert(connection, table, new)

    def _rows(self, ids: dict[str, int], records: Iterable[Any]) -> list[dict[str, Any]]:
        """Return the rows of records, with the IDs of their hosts in place of the names."""
        rows = []
        for record in records:
            row = asdict(record)
            member = ids.get(row.pop("host"))
            if member is not None:
                rows.append({"host_id": self._host_id, "member_id": member, **row})
        return rows

    def _selected(self, table: Table, host: str | None) -> tuple[ColumnElement[bool], ...]:
        own = table.c.host_id == self._host_id
        return (own,) if host is None else (own, fleet_hosts.c.host == host)

    def _joined(self, kind: type, table: Table, host: str | None, *conditions: ColumnElement[bool]) -> Any:
        """Return the query of the records of one host or of all."""
        query = select(*_columns(kind, table)).select_from(table.join(fleet_hosts, _is_member(table)))
        return query.where(*self._selected(table, host), *conditions)

    def _unmerged_day(self, before: float) -> float | None:
        """Return the oldest day before a time with hourly totals; None if there is none."""
        hour = fleet_score_totals.c.hour
        query = (
            select(hour).distinct().where(fleet_score_totals.c.host_id == self._host_id, hour < before - before % DAY)
        )
        with self._database.reading() as connection:
            hours = [at for (at,) in _HOURS.read(self._database.damaged_rows, connection, query) if at % DAY]
        return min(hours) // DAY * DAY if hours else None

    def _merge_day(self, day: float) -> None:
        table = fleet_score_totals
        of_day = (table.c.host_id == self._host_id, table.c.hour >= day, table.c.hour < day + DAY)
        keys = (table.c.host_id, table.c.member_id, table.c.horizon)
        sums = [func.sum(table.c[name]).label(name) for name in SCORE_SUMS]
        with self._database.writing() as connection:
            totals = connection.execute(select(*keys, *sums).where(*of_day).group_by(*keys)).mappings().all()
            connection.execute(delete(table).where(*of_day))
            _insert(connection, table, [{**row, "hour": day} for row in totals])


def _columns(kind: type, table: Table) -> list[Column[Any]]:
    """Return the columns of a record; the name of the host is in the table of the hosts."""
    return [fleet_hosts.c.host if field.name == "host" else table.c[field.name] for field in fields(kind)]


def _is_member(table: Table) -> ColumnElement[bool]:
    return and_(fleet_hosts.c.host_id == table.c.host_id, fleet_hosts.c.member_id == table.c.member_id)


def _insert(connection: Connection, table: Table, rows: Sequence[Any]) -> None:
    if rows:
        connection.execute(insert(table), list(rows))
