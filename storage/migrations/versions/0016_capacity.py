"""Migration 0016: tables for the use of file systems and memory."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

FIGURES = ("inode_usage", "limit_ratio", "probability", "model_probability", "full_seconds")
BASELINES = ("predict_linear", "persistence", "base_rate")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "capacity_resources",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("host_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("identity", sa.String, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
        sa.UniqueConstraint("host_id", "kind", "name", "identity", name="capacity_resources_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "capacity_rows",
        sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("resource_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float, primary_key=True),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("used", "peak", "size")),
        *(sa.Column(name, sa.Float, nullable=True) for name in (*FIGURES, *BASELINES)),
        sa.Column("warning", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("outcome", sa.Integer, nullable=True),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("capacity_rows")
    op.drop_table("capacity_resources")
