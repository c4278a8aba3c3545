"""Migration 0017: last delivery and last failure of each notification channel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "channel_health",
        sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("channel", sa.String, primary_key=True),
        sa.Column("last_success_at", sa.Float, nullable=True),
        sa.Column("last_failure_at", sa.Float, nullable=True),
        sa.Column("last_error", sa.String, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("channel_health")
