"""Migration 0005: standard names of tables, columns and channels; removal of `predictions.outcome`."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Integer, String, column, table, update

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

ANOMALIES = table("anomalies", column("channel", String))


def upgrade() -> None:
    """Rename TABLES, COLUMNS and the channel `stuck` (now `flatline`); drop the column `predictions.outcome`."""
    for old, new in TABLES.items():
        op.rename_table(old, new)
    for table_name, names in COLUMNS.items():
        for old, new in names.items():
            op.alter_column(table_name, old, new_column_name=new)
    _rename_channel("stuck", "flatline")
    op.drop_column("predictions", "outcome")


def downgrade() -> None:
    """Restore the old names, and add the column `predictions.outcome`, filled with NULL."""
    op.add_column("predictions", Column("outcome", Integer, nullable=True))
    _rename_channel("flatline", "stuck")
    for table_name, names in COLUMNS.items():
        for old, new in names.items():
            op.alter_column(table_name, new, new_column_name=old)
    for old, new in TABLES.items():
        op.rename_table(new, old)


def _rename_channel(old: str, new: str) -> None:
    """Rename a channel in all stored anomalies."""
    op.execute(update(ANOMALIES).where(ANOMALIES.c.channel == old).values(channel=new))
