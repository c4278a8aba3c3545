"""Migration 0014: queue of the notifications, and the incidents that were notified."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "notifications",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("host_id", sa.Integer, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("incident", sa.String, nullable=False),
        sa.Column("change", sa.String(16), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("finished_at", sa.Float, nullable=True),
        sa.Column("event", sa.String, nullable=False),
        sa.UniqueConstraint("host_id", "key", "channel", name="notifications_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("notifications_status", "notifications", ["host_id", "status", "channel"])
    op.create_table(
        "notified_incidents",
        sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("first_level", sa.Float, nullable=False),
        sa.Column("level", sa.Float, nullable=False),
        sa.Column("in_progress", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("notified_incidents")
    op.drop_table("notifications")
