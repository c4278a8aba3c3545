"""Migration 0001: initial schema, written out because `storage.schema` changes with later releases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

METRICS = (
    "cpu_usage",
    "cpu_iowait",
    "cpu_steal",
    "load_per_cpu",
    "memory_usage",
    "swap_usage",
    "network_receive",
    "network_transmit",
    "network_errors",
    "network_usage",
    "disk_read",
    "disk_write",
    "disk_busy",
    "pressure_cpu",
    "pressure_memory",
    "pressure_io",
)


def upgrade() -> None:
    """Create the initial schema in an empty database."""
    _time_series()
    _models()
    _training_runs()


def downgrade() -> None:
    """Drop all tables."""
    for table in ("training_runs", "serving", "models", "predictions", "samples"):
        op.drop_table(table)


def _time_series() -> None:
    op.create_table(
        "samples",
        sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float, primary_key=True),
        *(sa.Column(name, sa.Float, nullable=True) for name in METRICS),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "predictions",
        sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float, primary_key=True),
        sa.Column("horizon", sa.Float, primary_key=True),
        sa.Column("model_id", sa.Integer, nullable=False),
        sa.Column("probability", sa.Float, nullable=False),
        sa.Column("baseline_probability", sa.Float, nullable=False),
        sa.Column("threshold", sa.Float, nullable=False),
        sa.Column("outcome", sa.Integer, nullable=True),
        sqlite_with_rowid=False,
    )


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("host_id", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("promoted_at", sa.Float, nullable=True),
        sa.Column("report", sa.JSON, nullable=False),
        sa.Column("blob", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "serving",
        sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("model_id", sa.Integer, sa.ForeignKey("models.id", name="serving_model_id_fkey"), nullable=False),
    )


def _training_runs() -> None:
    op.create_table(
        "training_runs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("host_id", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("model_id", sa.Integer, nullable=True),
        sa.Column("report", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
