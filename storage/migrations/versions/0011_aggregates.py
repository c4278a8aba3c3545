"""Migration 0011: tables for the aggregates of blocks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.column_types import UNSIGNED

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("sample_aggregates", "prediction_aggregates", "replayed_prediction_aggregates")


def upgrade() -> None:
    """Create the tables, without rows: blocks without aggregates are read instead."""
    for name in TABLES:
        op.create_table(
            name,
            sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("start", sa.Float, primary_key=True),
            sa.Column("checksum", UNSIGNED, nullable=False),
            sa.Column("data", sa.LargeBinary, nullable=False),
        )


def downgrade() -> None:
    """Drop the tables, whose content can be computed from the blocks."""
    for name in TABLES:
        op.drop_table(name)
