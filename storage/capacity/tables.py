"""Tables of the use of file systems and memory; part of the metadata of `storage.schema`."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Integer, String, Table, UniqueConstraint, false

from storage.schema import metadata

capacity_resources = Table(
    "capacity_resources",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("host_id", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String, nullable=False),
    Column("identity", String, nullable=False),
    Column("seen_at", Float, nullable=False),
    UniqueConstraint("host_id", "kind", "name", "identity", name="capacity_resources_key"),
    sqlite_autoincrement=True,
)

# Use of a resource and the prediction made at that time, every five minutes.
capacity_rows = Table(
    "capacity_rows",
    metadata,
    Column("host_id", Integer, primary_key=True, autoincrement=False),
    # No foreign key: the rows of a resource are deleted by time.
    Column("resource_id", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, primary_key=True),
    Column("used", Float, nullable=False),
    Column("peak", Float, nullable=False),
    Column("size", Float, nullable=False),
    Column("inode_usage", Float, nullable=True),
    Column("limit_ratio", Float, nullable=True),
    Column("probability", Float, nullable=True),
    Column("model_probability", Float, nullable=True),
    Column("full_seconds", Float, nullable=True),
    Column("predict_linear", Float, nullable=True),
    Column("persistence", Float, nullable=True),
    Column("base_rate", Float, nullable=True),
    Column("warning", Boolean, nullable=False, server_default=false()),
    # 1 if the limit was passed within the horizon, 0 if not, -1 if unknown; NULL until the horizon has passed.
    Column("outcome", Integer, nullable=True),
    sqlite_with_rowid=False,
)
