"""Standard names for tables and columns; drop the unused column `predictions.outcome`."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Integer

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = {"maintenance": "maintenance_windows", "scored": "scoring_progress", "scores": "score_totals"}

COLUMNS = {
    "serving": {"instead": "fallbacks"},
    "anomalies": {
        "began_at": "started_at",
        "shares": "contributions",
        "judgement": "verdict",
        "judged_at": "verdict_at",
    },
    "maintenance_windows": {"begins_at": "starts_at"},
    "onsets": {"lead": "lead_time"},
    "scoring_progress": {"until": "scored_until"},
    "score_totals": {
        "high": "high_load",
        "warned": "warnings",
        "warned_events": "true_warnings",
        "said": "probability_sum",
        "said_squared": "probability_squared_sum",
        "said_right": "probability_event_sum",
        "base_squared": "baseline_squared_sum",
        "base_right": "baseline_event_sum",
    },
}


def upgrade() -> None:
    """Upgrade from 0004."""
    for old, new in TABLES.items():
        op.rename_table(old, new)
    for table, names in COLUMNS.items():
        for old, new in names.items():
            op.alter_column(table, old, new_column_name=new)
    op.drop_column("predictions", "outcome")


def downgrade() -> None:
    """Downgrade to 0004."""
    op.add_column("predictions", Column("outcome", Integer, nullable=True))
    for table, names in COLUMNS.items():
        for old, new in names.items():
            op.alter_column(table, new, new_column_name=old)
    for old, new in TABLES.items():
        op.rename_table(new, old)
