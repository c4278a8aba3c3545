"""Migration 0003: column for the fallbacks of the active model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column `serving.instead`."""
    op.add_column("serving", sa.Column("instead", sa.JSON, nullable=True))


def downgrade() -> None:
    """Drop the column `serving.instead`."""
    op.drop_column("serving", "instead")
