"""Records of the notifications."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NotificationStatus(StrEnum):
    """Status of the notification of one event through one channel.

    PENDING waits for its delivery. FAILED was given up. SUPPRESSED exceeded the rate limit; it is SUMMARISED once a
    summary that counts it is queued. DROPPED exceeded the bound of the queue.
    """

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    SUMMARISED = "summarised"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Notification:
    """Notification of one event through one channel.

    Attributes:
        key: idempotency key of the event.
        channel: name of the channel.
        incident: key of the incident that the event belongs to.
        change: change of the incident, such as "raised".
        created_at: time of the event, in seconds since the epoch.
        event: event as JSON text.
        status: status of the delivery.
        attempts: number of failed attempts.
        finished_at: time at which the status became final; None while it is PENDING.
    """

    key: str
    channel: str
    incident: str
    change: str
    created_at: float
    event: str
    status: NotificationStatus = NotificationStatus.PENDING
    attempts: int = 0
    finished_at: float | None = None


@dataclass(frozen=True, slots=True)
class NotifiedIncident:
    """Newest incident of one kind whose start was notified.

    Attributes:
        kind: kind of the incident, such as "high_load".
        started_at: start, in seconds since the epoch.
        first_level: level at the start; the levels depend on the kind.
        level: most severe level that was notified.
        in_progress: False once the end was notified.
    """

    kind: str
    started_at: float
    first_level: float = 0.0
    level: float = 0.0
    in_progress: bool = True


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """Last delivery and last failure of one channel.

    Attributes:
        channel: name of the channel.
        last_success_at: time of the last delivery, in seconds since the epoch; None before it.
        last_failure_at: time of the last failed attempt, in seconds since the epoch; None before it.
        last_error: cause of the last failure, without secrets; empty before it.
        failures: number of failed attempts since the last delivery.
    """

    channel: str
    last_success_at: float | None = None
    last_failure_at: float | None = None
    last_error: str = ""
    failures: int = 0
