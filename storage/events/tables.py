"""Tables of the event context."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Integer, Table

from storage.schema import metadata

# Processes that used most resources when a warning (`horizon`) or an anomaly (`anomaly_id`) began.
process_snapshots = Table(
    "process_snapshots",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("host_id", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("started_at", Float, nullable=False),
    # No foreign key: the repository deletes the snapshots of deleted anomalies.
    Column("anomaly_id", Integer, nullable=True),
    Column("horizon", Float, nullable=True),
    Column("probability", Float, nullable=True),
    Column("seconds", Float, nullable=False),
    Column("visited", Integer, nullable=False),
    Column("io_hidden", Integer, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("processes", JSON, nullable=False),
    sqlite_autoincrement=True,
)
