"""Tables of the fleet; part of the metadata of `storage.schema`."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table, UniqueConstraint

from storage.schema import metadata

# `host_id` is the fleet process, as in all tables; `member_id` is a host of its fleet.
fleet_hosts = Table(
    "fleet_hosts",
    metadata,
    Column("member_id", Integer, primary_key=True, autoincrement=True),
    Column("host_id", Integer, nullable=False),
    Column("host", String, nullable=False),
    Column("first_seen", Float, nullable=False),
    Column("last_seen", Float, nullable=False),
    UniqueConstraint("host_id", "host", name="fleet_hosts_host"),
    sqlite_autoincrement=True,
)

# Newest prediction of each host and horizon. Older ones are not stored: only their score totals are.
fleet_predictions = Table(
    "fleet_predictions",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("member_id", Integer, primary_key=True, autoincrement=False),
    Column("horizon", Float, primary_key=True),
    Column("at", Float, nullable=False),
    Column("probability", Float, nullable=False),
    Column("base_rate", Float, nullable=True),
    Column("threshold", Float, nullable=False),
    Column("warning", Boolean, nullable=False),
    Column("high", Boolean, nullable=False),
    Column("model", String(16), nullable=False),
    sqlite_with_rowid=False,
)

fleet_warnings = Table(
    "fleet_warnings",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("member_id", Integer, primary_key=True, autoincrement=False),
    Column("horizon", Float, primary_key=True),
    Column("started_at", Float, primary_key=True),
    Column("ended_at", Float, nullable=True),
    Column("probability", Float, nullable=False),
    Column("peak", Float, nullable=False),
    sqlite_with_rowid=False,
)

Index("fleet_warnings_start", fleet_warnings.c.host_id, fleet_warnings.c.started_at)

# The hours of older days are merged into days.
fleet_score_totals = Table(
    "fleet_score_totals",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    Column("hour", Float, primary_key=True),
    Column("member_id", Integer, primary_key=True, autoincrement=False),
    Column("horizon", Float, primary_key=True),
    Column("unknown", Integer, nullable=False),
    Column("scored", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("warnings", Integer, nullable=False),
    Column("true_warnings", Integer, nullable=False),
    Column("outcome_sum", Integer, nullable=False),
    Column("brier_sum", Float, nullable=False),
    Column("baseline_brier_sum", Float, nullable=False),
    sqlite_with_rowid=False,
)
