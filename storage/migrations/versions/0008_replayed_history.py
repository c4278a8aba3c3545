"""Migration 0008: tables for replayed predictions and scores, and a flag for replayed anomalies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COUNTS = ("unknown", "scored", "events", "warnings", "true_warnings")
SUMS = (
    "probability_sum",
    "probability_squared_sum",
    "probability_event_sum",
    "baseline_squared_sum",
    "baseline_event_sum",
)


def upgrade() -> None:
    """Create the three `replayed_` tables, and add the column `anomalies.replayed`, false for stored anomalies."""
    op.add_column("anomalies", sa.Column("replayed", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "replayed_predictions",
        *_key("at", "horizon"),
        sa.Column("model_id", sa.Integer, nullable=False),
        sa.Column("probability", sa.Float, nullable=False),
        sa.Column("baseline_probability", sa.Float, nullable=False),
        sa.Column("threshold", sa.Float, nullable=False),
        sa.Column("warning", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("high_load_since", sa.Float, nullable=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "replayed_score_totals",
        *_key("horizon", "hour"),
        sa.Column("high_load", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("decile", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTS),
        *(sa.Column(name, sa.Float, nullable=False) for name in SUMS),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "replayed_onsets",
        *_key("horizon", "at"),
        sa.Column("lead_time", sa.Float, nullable=True),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the three `replayed_` tables, the replayed anomalies and the column `anomalies.replayed`."""
    for table in ("replayed_onsets", "replayed_score_totals", "replayed_predictions"):
        op.drop_table(table)
    op.execute("DELETE FROM anomalies WHERE replayed")
    op.drop_column("anomalies", "replayed")


def _key(*floats: str) -> list[sa.Column[float]]:
    host = sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False)
    return [host, *(sa.Column(name, sa.Float, primary_key=True) for name in floats)]
