"""Migration 0002: tables for scores, onsets and scoring progress."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COUNTS = ("unknown", "scored", "events", "warned", "warned_events")
TOTALS = ("said", "said_squared", "said_right", "base_squared", "base_right")


def upgrade() -> None:
    """Create the tables `scores`, `onsets` and `scored`."""
    op.create_table(
        "scores",
        *_key("horizon", "hour"),
        sa.Column("high", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("decile", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTS),
        *(sa.Column(name, sa.Float, nullable=False) for name in TOTALS),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "onsets", *_key("horizon", "at"), sa.Column("lead", sa.Float, nullable=True), sqlite_with_rowid=False
    )
    op.create_table("scored", *_key("horizon"), sa.Column("until", sa.Float, nullable=False), sqlite_with_rowid=False)


def downgrade() -> None:
    """Drop the tables `scores`, `onsets` and `scored`."""
    for table in ("scored", "onsets", "scores"):
        op.drop_table(table)


def _key(*floats: str) -> list[sa.Column[float]]:
    host = sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False)
    return [host, *(sa.Column(name, sa.Float, primary_key=True) for name in floats)]
