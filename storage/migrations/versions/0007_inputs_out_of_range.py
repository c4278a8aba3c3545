"""Migration 0007: column for the metrics outside the training range of the active model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column `serving.inputs_out_of_range`."""
    op.add_column("serving", sa.Column("inputs_out_of_range", sa.JSON, nullable=True))


def downgrade() -> None:
    """Drop the column `serving.inputs_out_of_range`."""
    op.drop_column("serving", "inputs_out_of_range")
