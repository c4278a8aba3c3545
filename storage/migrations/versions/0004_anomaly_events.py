"""Migration 0004: tables for anomalies, half-hour peaks and maintenance windows, and a column for detectors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column `models.detector`; create the tables `anomalies`, `anomaly_peaks` and `maintenance`."""
    op.add_column("models", sa.Column("detector", sa.LargeBinary, nullable=True))
    op.create_table(
        "anomalies",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("host_id", sa.Integer, nullable=False),
        sa.Column("model_id", sa.Integer, nullable=False),
        sa.Column("began_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float, nullable=True),
        sa.Column("peak", sa.Float, nullable=False),
        sa.Column("peak_at", sa.Float, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("shares", sa.JSON, nullable=False),
        sa.Column("judgement", sa.String(16), nullable=True),
        sa.Column("note", sa.String, nullable=True),
        sa.Column("judged_at", sa.Float, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "anomaly_peaks",
        sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("detector", sa.String(16), primary_key=True),
        sa.Column("at", sa.Float, primary_key=True),
        sa.Column("channel", sa.String(16), primary_key=True),
        sa.Column("peak", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "maintenance",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("host_id", sa.Integer, nullable=False),
        sa.Column("begins_at", sa.Float, nullable=False),
        sa.Column("ends_at", sa.Float, nullable=False),
        sa.Column("note", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop the tables `anomalies`, `anomaly_peaks` and `maintenance`, and the column `models.detector`."""
    for table in ("maintenance", "anomaly_peaks", "anomalies"):
        op.drop_table(table)
    op.drop_column("models", "detector")
