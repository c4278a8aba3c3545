"""Migration 0015: hosts, newest predictions, warnings and score totals of a fleet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "fleet_hosts",
        sa.Column("member_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("host_id", sa.Integer, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("first_seen", sa.Float, nullable=False),
        sa.Column("last_seen", sa.Float, nullable=False),
        sa.UniqueConstraint("host_id", "host", name="fleet_hosts_host"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "fleet_predictions",
        sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("member_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("horizon", sa.Float, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("probability", sa.Float, nullable=False),
        sa.Column("base_rate", sa.Float, nullable=True),
        sa.Column("threshold", sa.Float, nullable=False),
        sa.Column("warning", sa.Boolean, nullable=False),
        sa.Column("high", sa.Boolean, nullable=False),
        sa.Column("model", sa.String(16), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fleet_warnings",
        sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("member_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("horizon", sa.Float, primary_key=True),
        sa.Column("started_at", sa.Float, primary_key=True),
        sa.Column("ended_at", sa.Float, nullable=True),
        sa.Column("probability", sa.Float, nullable=False),
        sa.Column("peak", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("fleet_warnings_start", "fleet_warnings", ["host_id", "started_at"])
    op.create_table(
        "fleet_score_totals",
        sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hour", sa.Float, primary_key=True),
        sa.Column("member_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("horizon", sa.Float, primary_key=True),
        sa.Column("unknown", sa.Integer, nullable=False),
        sa.Column("scored", sa.Integer, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("warnings", sa.Integer, nullable=False),
        sa.Column("true_warnings", sa.Integer, nullable=False),
        sa.Column("outcome_sum", sa.Integer, nullable=False),
        sa.Column("brier_sum", sa.Float, nullable=False),
        sa.Column("baseline_brier_sum", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    for name in ("fleet_score_totals", "fleet_warnings", "fleet_predictions", "fleet_hosts"):
        op.drop_table(name)
