"""Dispatcher: sends the waiting notifications, with pauses after failures and a rate limit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from model.units import HOUR
from monitor.config.notify.channels import Channel, WebhookChannel
from monitor.notifications.collector import notification_of
from monitor.notifications.delivery import SenderProcesses
from monitor.notifications.events import Change, Event, EventKind, Origin, Severity, incident_key
from monitor.notifications.outbox import Outbox
from monitor.notifications.presets import INCIDENT_PRESETS
from monitor.notifications.sender import SendRequest
from monitor.notifications.sending import SendOutcome, SendResult
from monitor.system.formatting import format_count
from monitor.system.json_codec import from_plain
from monitor.system.logging import get_logger
from storage import Notification, NotificationStatus, StorageError

log = get_logger(__name__)

FIRST_PAUSE = 10.0
MAX_PAUSE = 600.0
"""Shortest and longest time in seconds between two attempts; it doubles from one attempt to the next."""

MAX_RETRY_AFTER = HOUR
"""Longest time in seconds for which a receiver can ask to wait."""

EXPIRY_INTERVAL = 60.0
"""Seconds between two searches for notifications that are too old."""


@dataclass(frozen=True)
class Attempt:
    """Notification that is due, with the request that sends it."""

    notification: Notification
    request: SendRequest


class Dispatcher:
    """Sends notifications: the oldest of each channel first, so that their order is kept. For use by one thread."""

    def __init__(
        self,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        directories: tuple[str, ...],
        senders: SenderProcesses,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Initialize the dispatcher.

        Args:
            outbox: queue of the notifications.
            channels: channels by name.
            directories: directories of the secret files.
            senders: starts the sender processes.
            monotonic: monotonic clock; returns seconds.
        """
        self._monotonic = monotonic
        self._outbox = outbox
        self._channels = channels
        self._directories = directories
        self._senders = senders
        self._retry_at: dict[str, float] = {}
        self._expire_at = 0.0
        self._unsummarised = {name for name, channel in channels.items() if _takes_summaries(channel)}

    def attempt(self, now: float) -> bool:
        """Send the next notification of each channel that is not in a pause; return False if none is due.

        Args:
            now: seconds since the epoch.

        Raises:
            StorageError: the database cannot be read, and no notification in memory is due.
        """
        due = []
        failure: StorageError | None = None
        for name in self._channels:
            try:
                attempt = self._next_attempt(name, now)
            except StorageError as error:
                failure = error
            else:
                due += [attempt] if attempt is not None else []
        if failure is not None and not due:
            raise failure
        results = self._senders.send_all([attempt.request for attempt in due])
        for attempt, result in zip(due, results, strict=True):
            self._record(attempt.notification, result, now)
        return bool(due)

    def expire(self, before: float, now: float) -> None:
        """Abandon the notifications of events before a time, once per EXPIRY_INTERVAL.

        Args:
            before: seconds since the epoch.
            now: seconds since the epoch.

        Raises:
            StorageError: the database cannot be written.
        """
        if self._monotonic() < self._expire_at:
            return
        self._expire_at = self._monotonic() + EXPIRY_INTERVAL
        for channel, number in self._outbox.expire(before, now).items():
            log.error("notifications abandoned", channel=channel, notifications=number)

    def summarise(self, origin: Origin, now: float) -> None:
        """Queue a summary of the suppressed notifications for each channel that is below its rate limit again.

        Raises:
            StorageError: the database cannot be read or written.
        """
        for name in sorted(self._unsummarised):
            limit = self._channels[name].rate_limit
            if self._outbox.delivered_in_last_hour(name, now) >= limit:
                continue
            counts = self._outbox.suppressed_counts(name)
            if counts:
                event = summary_event(origin, name, counts, limit, now)
                self._outbox.add_summary(notification_of(event, name, now))
            self._unsummarised.discard(name)

    def _next_attempt(self, name: str, now: float) -> Attempt | None:
        """Return the next attempt of a channel, after its suppressed notifications; None if there is none."""
        if self._monotonic() < self._retry_at.get(name, 0.0):
            return None
        channel = self._channels[name]
        while (notification := self._outbox.next_pending(name)) is not None:
            event = _decode(notification)
            if event is None:
                self._finish(notification, NotificationStatus.FAILED, now)
                log.error("notification damaged", channel=name, key=notification.key)
            elif self._is_suppressed(notification, channel, now):
                self._finish(notification, NotificationStatus.SUPPRESSED, now)
                self._unsummarised |= {name} if _takes_summaries(channel) else set()
                log.warning("notification suppressed", channel=name, key=notification.key)
            else:
                return Attempt(notification, SendRequest(channel, self._directories, event))
            with suppress(StorageError):
                self._outbox.save(now)
        return None

    def _is_suppressed(self, notification: Notification, channel: Channel, now: float) -> bool:
        """Return True if a notification exceeds the rate limit.

        The end of an incident is sent if any other event of it was delivered, and suppressed otherwise: nothing that
        a receiver keeps open stays open.
        """
        if Change(notification.change).ends_incident:
            with suppress(StorageError):
                statuses = self._outbox.channels_of(notification.incident).get(notification.channel, set())
                return NotificationStatus.DELIVERED not in statuses
            return False
        return self._outbox.delivered_in_last_hour(notification.channel, now) >= channel.rate_limit

    def _record(self, notification: Notification, result: SendResult, now: float) -> None:
        """Record the result of an attempt, and pause the channel after a failure."""
        name = notification.channel
        failed = replace(notification, attempts=notification.attempts + 1)
        if result.outcome is SendOutcome.DELIVERED:
            self._outbox.record_success(name, now)
        else:
            self._outbox.record_failure(name, now, result.problem)
        if result.outcome is SendOutcome.DELIVERED:
            self._retry_at.pop(name, None)
            self._finish(notification, NotificationStatus.DELIVERED, now)
            log.info("notification delivered", channel=name, key=notification.key, attempts=failed.attempts)
        elif result.outcome is SendOutcome.REJECTED:
            self._finish(failed, NotificationStatus.FAILED, now)
            log.error("notification rejected", channel=name, key=notification.key, error=result.problem)
        else:
            wait = max(pause(failed.attempts), min(result.retry_after or 0.0, MAX_RETRY_AFTER))
            self._retry_at[name] = self._monotonic() + wait
            self._outbox.retry(failed)
            log.warning(
                "notification attempt failed",
                channel=name,
                key=notification.key,
                attempts=failed.attempts,
                error=result.problem,
                retry_seconds=round(wait),
            )

    def _finish(self, notification: Notification, status: NotificationStatus, now: float) -> None:
        self._outbox.finish(replace(notification, status=status, finished_at=now))


def pause(attempts: int) -> float:
    """Return the seconds until the next attempt, after a number of failed attempts from 1 on."""
    return float(min(FIRST_PAUSE * 2.0 ** min(attempts - 1, 10), MAX_PAUSE))


def summary_event(origin: Origin, channel: str, counts: Mapping[str, int], limit: int, now: float) -> Event:
    """Return the event that counts the suppressed notifications of a channel.

    Args:
        origin: origin of the event.
        channel: name of the channel.
        counts: number of suppressed notifications by change.
        limit: rate limit of the channel, in notifications per hour.
        now: seconds since the epoch.
    """
    key = f"{incident_key(origin.host, EventKind.SUMMARY, now)}/{channel}"
    number = format_count(sum(counts.values()), "notification")
    listed: Sequence[str] = [f"{change} {count}" for change, count in sorted(counts.items())]
    return Event(
        key=key,
        incident=key,
        kind=EventKind.SUMMARY,
        change=Change.SUMMARY,
        severity=Severity.INFO,
        host=origin.host,
        at=now,
        started_at=now,
        url=origin.url,
        title=f"{number} suppressed on {origin.host}",
        details=f"The rate limit is {limit} per hour. Suppressed: {', '.join(listed)}.",
    )


def _takes_summaries(channel: Channel) -> bool:
    return not (isinstance(channel, WebhookChannel) and channel.preset in INCIDENT_PRESETS)


def _decode(notification: Notification) -> Event | None:
    """Return the event of a notification; None if its text is damaged."""
    try:
        return from_plain(Event, json.loads(notification.event))
    except (ValueError, RecursionError):
        return None
