"""Migration 0010: tables for the compressed rows of whole hours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.blocks.expansion import expand_all
from storage.column_types import UNSIGNED

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("sample_blocks", "prediction_blocks", "replayed_prediction_blocks")


def upgrade() -> None:
    """Create the tables, without rows: the daemon compresses the stored history step by step."""
    for name in TABLES:
        op.create_table(
            name,
            sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("start", sa.Float, primary_key=True),
            sa.Column("first_at", sa.Float, nullable=False),
            sa.Column("last_at", sa.Float, nullable=False),
            sa.Column("row_count", sa.Integer, nullable=False),
            sa.Column("format", sa.Integer, nullable=False),
            sa.Column("checksum", UNSIGNED, nullable=False),
            sa.Column("data", sa.LargeBinary, nullable=False),
        )


def downgrade() -> None:
    """Restore the rows of all blocks, and drop the tables; a damaged block is lost."""
    expand_all(op.get_bind())
    for name in TABLES:
        op.drop_table(name)
