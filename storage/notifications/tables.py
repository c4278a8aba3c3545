"""Tables of the notifications; part of the metadata of `storage.schema`."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table, UniqueConstraint

from storage.schema import metadata

# Queue of the notifications. Finished ones are kept for a while, for the rate limit and against duplicates.
notifications = Table(
    "notifications",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("host_id", Integer, nullable=False),
    # Idempotency key of the event; each channel gets each event once.
    Column("key", String, nullable=False),
    Column("channel", String, nullable=False),
    # Key of the incident that the event belongs to, such as one warning from its start to its end.
    Column("incident", String, nullable=False),
    Column("change", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("finished_at", Float, nullable=True),
    # Event as JSON text, which the channels convert to their messages.
    Column("event", String, nullable=False),
    UniqueConstraint("host_id", "key", "channel", name="notifications_key"),
    sqlite_autoincrement=True,
)

Index("notifications_status", notifications.c.host_id, notifications.c.status, notifications.c.channel)

# Last delivery and last failure of each channel; kept when the notifications are deleted.
channel_health = Table(
    "channel_health",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("channel", String, primary_key=True),
    Column("last_success_at", Float, nullable=True),
    Column("last_failure_at", Float, nullable=True),
    Column("last_error", String, nullable=False),
    # Failed attempts since the last delivery.
    Column("failures", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Newest incident of each kind that was notified: what a restarted daemon compares the state of the host with.
notified_incidents = Table(
    "notified_incidents",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), primary_key=True),
    Column("started_at", Float, nullable=False),
    Column("first_level", Float, nullable=False),
    Column("level", Float, nullable=False),
    Column("in_progress", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
