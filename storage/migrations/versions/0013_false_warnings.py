"""Migration 0013: columns for the false warnings of scored predictions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = ("score_totals", "replayed_score_totals")


def upgrade() -> None:
    """Add the columns; they are NULL in the sums over predictions that are already scored."""
    for name in TABLES:
        op.add_column(name, sa.Column("false_warnings", sa.Integer, nullable=True))
        op.add_column(name, sa.Column("observed_seconds", sa.Float, nullable=True))


def downgrade() -> None:
    """Drop the columns."""
    for name in TABLES:
        op.drop_column(name, "observed_seconds")
        op.drop_column(name, "false_warnings")
