"""Migration 0006: columns for the warning state and the high-load period of each prediction."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PREDICTIONS = sa.table(
    "predictions",
    sa.column("probability", sa.Float),
    sa.column("threshold", sa.Float),
    sa.column("warning", sa.Boolean),
)


def upgrade() -> None:
    """Add the columns `predictions.warning` and `predictions.high_load_since`.

    `warning` is set for the stored predictions that reached a threshold below 1: under 0005 all were warnings.
    """
    op.add_column("predictions", sa.Column("warning", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("predictions", sa.Column("high_load_since", sa.Float, nullable=True))
    columns = PREDICTIONS.c
    reached = (columns.probability >= columns.threshold) & (columns.threshold < 1)
    op.execute(sa.update(PREDICTIONS).where(reached).values(warning=sa.true()))


def downgrade() -> None:
    """Drop the columns `predictions.warning` and `predictions.high_load_since`."""
    op.drop_column("predictions", "high_load_since")
    op.drop_column("predictions", "warning")
