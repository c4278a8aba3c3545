"""Notification repository: queue of the notifications, and the incidents that were notified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from storage.database import Database
from storage.database.portable import insert_or_update
from storage.notifications.records import ChannelHealth, Notification, NotificationStatus, NotifiedIncident
from storage.notifications.tables import channel_health, notifications, notified_incidents
from storage.rows import record_decoder, tuple_decoder
from storage.schema import LOCAL_HOST_ID

_COLUMNS = notifications.c[tuple(field.name for field in fields(Notification))]
_INCIDENT_COLUMNS = notified_incidents.c[tuple(field.name for field in fields(NotifiedIncident))]
_HEALTH_COLUMNS = channel_health.c[tuple(field.name for field in fields(ChannelHealth))]

_NOTIFICATIONS = record_decoder(notifications.name, Notification, key=2)
_INCIDENTS = record_decoder(notified_incidents.name, NotifiedIncident)
_HEALTH = record_decoder(channel_health.name, ChannelHealth)
_TIMES = tuple_decoder(notifications.name, str, float)
_COUNTS = tuple_decoder(notifications.name, str, int)
_STATUSES = tuple_decoder(notifications.name, str, NotificationStatus)


class NotificationRepository:
    """Notifications and notified incidents of one host. A refused operation raises StorageError."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id
        self._own = notifications.c.host_id == host_id

    def save(
        self,
        changed: Sequence[Notification],
        incidents: Sequence[NotifiedIncident] = (),
        health: Sequence[ChannelHealth] = (),
    ) -> None:
        """Store new and changed notifications, with the incidents that they report, in one transaction.

        Args:
            changed: notifications; a pending one with the same key and channel gets the new status and attempts.
            incidents: newest incident of each kind that has changed.
            health: last delivery and failure of each channel for which they have changed.
        """
        with self._database.writing() as connection:
            if changed:
                rows = [{"host_id": self._host_id, **asdict(notification)} for notification in changed]
                key = ("host_id", "key", "channel")
                updated = ("status", "attempts", "finished_at")
                is_pending = notifications.c.status == NotificationStatus.PENDING.value
                query = insert_or_update(connection, notifications, key, updated, where=is_pending)
                connection.execute(query, rows)
            for incident in incidents:
                values = asdict(incident)
                query = insert_or_update(connection, notified_incidents, ("host_id", "kind"), tuple(values))
                connection.execute(query, {"host_id": self._host_id, **values})
            for channel in health:
                values = asdict(channel)
                query = insert_or_update(connection, channel_health, ("host_id", "channel"), tuple(values))
                connection.execute(query, {"host_id": self._host_id, **values})

    def incidents(self) -> list[NotifiedIncident]:
        """Return the newest notified incident of each kind that has any."""
        own = notified_incidents.c.host_id == self._host_id
        query = select(*_INCIDENT_COLUMNS).where(own).order_by(notified_incidents.c.kind)
        with self._database.reading() as connection:
            return _INCIDENTS.read(self._database.damaged_rows, connection, query)

    def channel_health(self) -> list[ChannelHealth]:
        """Return the last delivery and the last failure of each channel that had any, by name."""
        own = channel_health.c.host_id == self._host_id
        query = select(*_HEALTH_COLUMNS).where(own).order_by(channel_health.c.channel)
        with self._database.reading() as connection:
            return _HEALTH.read(self._database.damaged_rows, connection, query)

    def given_up_counts(self, since: float) -> dict[str, int]:
        """Return the number of notifications of each channel that were given up or dropped since a time.

        Args:
            since: seconds since the epoch.
        """
        given_up = notifications.c.status.in_((NotificationStatus.FAILED.value, NotificationStatus.DROPPED.value))
        query = select(notifications.c.channel, func.count()).where(self._own, given_up)
        with self._database.reading() as connection:
            query = query.where(notifications.c.finished_at >= since).group_by(notifications.c.channel)
            return dict(_COUNTS.read(self._database.damaged_rows, connection, query))

    def next_pending(self, channel: str) -> Notification | None:
        """Return the oldest pending notification of a channel; None if there is none."""
        query = select(*_COLUMNS).where(*self._with_status(NotificationStatus.PENDING, channel))
        with self._database.reading() as connection:
            return _NOTIFICATIONS.first(self._database.damaged_rows, connection, query.order_by(notifications.c.id))

    def pending_counts(self) -> dict[str, int]:
        """Return the number of pending notifications of each channel that has any."""
        query = select(notifications.c.channel, func.count()).where(*self._with_status(NotificationStatus.PENDING))
        with self._database.reading() as connection:
            query = query.group_by(notifications.c.channel)
            return dict(_COUNTS.read(self._database.damaged_rows, connection, query))

    def delivery_times(self, since: float) -> list[tuple[str, float]]:
        """Return (channel, time) of each delivery at `since` (seconds since the epoch) or later, oldest first."""
        delivered = (*self._with_status(NotificationStatus.DELIVERED), notifications.c.finished_at >= since)
        query = select(notifications.c.channel, notifications.c.finished_at).where(*delivered)
        with self._database.reading() as connection:
            query = query.order_by(notifications.c.finished_at)
            return [(channel, at) for channel, at in _TIMES.read(self._database.damaged_rows, connection, query)]

    def channels_of(self, incident: str) -> dict[str, set[NotificationStatus]]:
        """Return the channels that an incident was queued for, with the statuses of its notifications."""
        query = select(notifications.c.channel, notifications.c.status)
        channels: dict[str, set[NotificationStatus]] = {}
        with self._database.reading() as connection:
            query = query.where(self._own, notifications.c.incident == incident)
            for channel, status in _STATUSES.read(self._database.damaged_rows, connection, query):
                channels.setdefault(channel, set()).add(status)
        return channels

    def suppressed_counts(self, channel: str) -> dict[str, int]:
        """Return the number of suppressed notifications of a channel by change, without the summarised ones."""
        suppressed = self._with_status(NotificationStatus.SUPPRESSED, channel)
        query = select(notifications.c.change, func.count()).where(*suppressed).group_by(notifications.c.change)
        with self._database.reading() as connection:
            return dict(_COUNTS.read(self._database.damaged_rows, connection, query))

    def add_summary(self, summary: Notification) -> None:
        """Queue the summary of the suppressed notifications of its channel, and mark them as summarised."""
        suppressed = self._with_status(NotificationStatus.SUPPRESSED, summary.channel)
        with self._database.writing() as connection:
            connection.execute(
                update(notifications).where(*suppressed).values(status=NotificationStatus.SUMMARISED.value)
            )
            connection.execute(insert(notifications).values(host_id=self._host_id, **asdict(summary)))

    def drop_oldest(self, limit: int, now: float) -> dict[str, int]:
        """Keep the newest `limit` pending notifications, drop the others, and return their number by channel.

        Args:
            limit: largest number of pending notifications.
            now: seconds since the epoch.
        """
        pending = self._with_status(NotificationStatus.PENDING)
        newest = select(notifications.c.id).where(*pending).order_by(notifications.c.id.desc()).limit(limit)
        return self._finish(NotificationStatus.DROPPED, now, notifications.c.id.not_in(newest))

    def expire(self, before: float, now: float) -> dict[str, int]:
        """Give up the pending notifications of events before a time, and return their number by channel.

        Args:
            before: seconds since the epoch.
            now: seconds since the epoch.
        """
        return self._finish(NotificationStatus.FAILED, now, notifications.c.created_at < before)

    def purge_finished(self, before: float) -> None:
        """Delete the notifications whose status became final before a time (seconds since the epoch)."""
        with self._database.writing() as connection:
            connection.execute(delete(notifications).where(self._own, notifications.c.finished_at < before))

    def _finish(self, status: NotificationStatus, now: float, selected: ColumnElement[bool]) -> dict[str, int]:
        """Set the final status of the selected pending notifications, and return their number by channel."""
        pending = (*self._with_status(NotificationStatus.PENDING), selected)
        counted = select(notifications.c.channel, func.count()).where(*pending).group_by(notifications.c.channel)
        with self._database.writing() as connection:
            counts = dict(_COUNTS.read(self._database.damaged_rows, connection, counted))
            if counts:
                final = {"status": status.value, "finished_at": now}
                connection.execute(update(notifications).where(*pending).values(**final))
        return counts

    def _with_status(self, status: NotificationStatus, channel: str | None = None) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions for notifications with a status, of one channel or of all."""
        selected = (self._own, notifications.c.status == status.value)
        return selected if channel is None else (*selected, notifications.c.channel == channel)
