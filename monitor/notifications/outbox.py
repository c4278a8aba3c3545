"""Outbox: notifications on their way, in the database and in memory while it is unavailable."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace

from model.units import HOUR
from monitor.system.logging import get_logger
from monitor.system.redaction import redact_credentials
from storage import ChannelHealth, Notification, NotificationRepository, NotificationStatus, NotifiedIncident

log = get_logger(__name__)

MAX_PENDING = 500
"""Largest number of notifications in the database that wait for their delivery; the oldest are dropped."""

MAX_ERROR = 200
"""Largest number of characters that are kept of the cause of a failure."""

MAX_UNSAVED = 200
"""Largest number of notifications that wait in memory for the database; the oldest are dropped."""


class Outbox:
    """Notifications on their way, and the incidents that they report. For use by one thread.

    A change is kept in memory until `save` has stored it. While the database is unavailable, the notifications in
    memory are delivered, and those in the database wait. A reload of the configuration keeps the outbox.

    Attributes:
        incidents: newest notified incident of each kind.
        pending: number of notifications that wait for their delivery, by channel.
        outcomes: number of outcomes since the start of the daemon, by channel and outcome.
        health: last delivery and last failure, by channel.
    """

    def __init__(self, repository: NotificationRepository) -> None:
        """Initialize without reading the database; call `load` before all other methods."""
        self._repository = repository
        self._unsaved: dict[tuple[str, str], Notification] = {}
        self._unsaved_incidents: dict[str, NotifiedIncident] = {}
        self._unsaved_health: dict[str, ChannelHealth] = {}
        self._delivered: dict[str, deque[float]] = {}
        self._is_loaded = False
        self.incidents: dict[str, NotifiedIncident] = {}
        self.pending: dict[str, int] = {}
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.health: dict[str, ChannelHealth] = {}

    def load(self, now: float) -> None:
        """Read the incidents, the queue and the deliveries of the last hour once.

        Args:
            now: seconds since the epoch.

        Raises:
            StorageError: the database cannot be read.
        """
        if self._is_loaded:
            return
        self.incidents = {incident.kind: incident for incident in self._repository.incidents()}
        for channel, at in self._repository.delivery_times(now - HOUR):
            self._delivered.setdefault(channel, deque()).append(at)
        self.pending = self._repository.pending_counts()
        self.health = {health.channel: health for health in self._repository.channel_health()}
        self._is_loaded = True

    def add(self, notifications: Iterable[Notification], incident: NotifiedIncident) -> None:
        """Add new notifications, and the incident that they report."""
        self.incidents[incident.kind] = incident
        self._unsaved_incidents[incident.kind] = incident
        for notification in notifications:
            self._put(notification)
            self.pending[notification.channel] = self.pending.get(notification.channel, 0) + 1

    def finish(self, notification: Notification) -> None:
        """Record a notification with a final status, and count it."""
        self._put(notification)
        channel = notification.channel
        self.pending[channel] = max(0, self.pending.get(channel, 0) - 1)
        self.count(channel, notification.status)
        if notification.status is NotificationStatus.DELIVERED and notification.finished_at is not None:
            self._delivered.setdefault(channel, deque()).append(notification.finished_at)

    def retry(self, notification: Notification) -> None:
        """Record a notification whose attempt failed, and count the attempt."""
        self._put(notification)
        self.count(notification.channel, "retried")

    def record_success(self, channel: str, at: float) -> None:
        """Record a delivery through a channel at `at` (seconds since the epoch)."""
        self._put_health(replace(self.health_of(channel), last_success_at=at, failures=0))

    def record_failure(self, channel: str, at: float, problem: str) -> None:
        """Record a failed attempt of a channel.

        Args:
            channel: name of the channel.
            at: seconds since the epoch.
            problem: cause of the failure; credentials of URLs in it are redacted.
        """
        health = self.health_of(channel)
        error = redact_credentials(problem)[:MAX_ERROR]
        self._put_health(replace(health, last_failure_at=at, last_error=error, failures=health.failures + 1))

    def health_of(self, channel: str) -> ChannelHealth:
        """Return the last delivery and the last failure of a channel."""
        return self.health.get(channel) or ChannelHealth(channel)

    def count(self, channel: str, outcome: str, number: int = 1) -> None:
        """Count outcomes of a channel."""
        self.outcomes[channel, outcome] += number

    def save(self, now: float) -> None:
        """Store the changes, and bound the queue.

        Args:
            now: seconds since the epoch.

        Raises:
            StorageError: the database cannot be written; the changes stay in memory.
        """
        if not self._unsaved and not self._unsaved_incidents and not self._unsaved_health:
            return
        self._repository.save(
            list(self._unsaved.values()), list(self._unsaved_incidents.values()), list(self._unsaved_health.values())
        )
        self._unsaved_health.clear()
        self._unsaved.clear()
        self._unsaved_incidents.clear()
        if sum(self.pending.values()) > MAX_PENDING:
            self._count_dropped(self._repository.drop_oldest(MAX_PENDING, now))

    def expire(self, before: float, now: float) -> dict[str, int]:
        """Give up the notifications of events before a time, and return their number by channel.

        Args:
            before: seconds since the epoch.
            now: seconds since the epoch.

        Raises:
            StorageError: the database cannot be written.
        """
        if not any(self.pending.values()):
            return {}
        expired = self._repository.expire(before, now)
        self._count_removed(expired, NotificationStatus.FAILED)
        return expired

    def next_pending(self, channel: str) -> Notification | None:
        """Return the oldest notification that waits for its delivery; those in memory come first.

        Raises:
            StorageError: the database cannot be read.
        """
        if not self.pending.get(channel):
            return None
        unsaved = [notification for notification in self._unsaved.values() if notification.channel == channel]
        if unsaved:
            return next((entry for entry in unsaved if entry.status is NotificationStatus.PENDING), None)
        stored = self._repository.next_pending(channel)
        if stored is None:
            # The database was replaced, or the row is damaged.
            self.pending[channel] = 0
        return stored

    def delivered_in_last_hour(self, channel: str, now: float) -> int:
        """Return the number of deliveries through a channel in the hour before `now` (seconds since the epoch)."""
        times = self._delivered.setdefault(channel, deque())
        while times and not 0 <= now - times[0] < HOUR:
            times.popleft()
        return len(times)

    def channels_of(self, incident: str) -> dict[str, set[NotificationStatus]]:
        """Return the channels that an incident was queued for, with the statuses of its notifications.

        Raises:
            StorageError: the database cannot be read.
        """
        channels = self._repository.channels_of(incident)
        for notification in self._unsaved.values():
            if notification.incident == incident:
                channels.setdefault(notification.channel, set()).add(notification.status)
        return channels

    def suppressed_counts(self, channel: str) -> dict[str, int]:
        """Return the number of suppressed notifications of a channel by change, without the summarised ones.

        Raises:
            StorageError: the database cannot be read.
        """
        return self._repository.suppressed_counts(channel)

    def add_summary(self, summary: Notification) -> None:
        """Queue the summary of the suppressed notifications of its channel.

        Raises:
            StorageError: the database cannot be written.
        """
        self._repository.add_summary(summary)
        self.pending[summary.channel] = self.pending.get(summary.channel, 0) + 1

    def _put_health(self, health: ChannelHealth) -> None:
        self.health[health.channel] = health
        self._unsaved_health[health.channel] = health

    def _put(self, notification: Notification) -> None:
        self._unsaved[notification.key, notification.channel] = notification
        if len(self._unsaved) > MAX_UNSAVED:
            oldest = self._unsaved.pop(next(iter(self._unsaved)))
            if oldest.status is NotificationStatus.PENDING:
                self._count_dropped({oldest.channel: 1})

    def _count_dropped(self, dropped: dict[str, int]) -> None:
        self._count_removed(dropped, NotificationStatus.DROPPED)
        for channel, number in dropped.items():
            log.error("notifications dropped", channel=channel, notifications=number)

    def _count_removed(self, removed: dict[str, int], status: NotificationStatus) -> None:
        for channel, number in removed.items():
            self.count(channel, status, number)
            self.pending[channel] = max(0, self.pending.get(channel, 0) - number)
