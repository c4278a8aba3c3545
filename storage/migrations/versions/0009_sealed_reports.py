"""Migration 0009: checksums of reports, serving history, quarantined models."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.models.sealed_text import seal, unseal

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

REPORT_TABLES = ("models", "training_runs")
MODELS = sa.table("models", sa.column("id"), sa.column("host_id"), sa.column("promoted_at"))
SERVING = sa.table("serving", sa.column("host_id"), sa.column("model_id"))


def upgrade() -> None:
    """Seal the reports, create both tables, and derive the serving history from the times of promotion."""
    activations = op.create_table(
        "activations",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("host_id", sa.Integer, nullable=False),
        sa.Column("model_id", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("undone", sa.Boolean, nullable=False, server_default=sa.false()),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "quarantined_models",
        sa.Column("host_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("model_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("part", sa.String(16), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("detail", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
    for name in REPORT_TABLES:
        _convert_reports(name, sealed=True)
    # Models newer than the active one have been rolled back.
    newer = sa.func.coalesce(MODELS.c.id > SERVING.c.model_id, sa.false())
    promoted = (
        sa.select(MODELS.c.host_id, MODELS.c.id, MODELS.c.promoted_at, newer)
        .select_from(MODELS.outerjoin(SERVING, SERVING.c.host_id == MODELS.c.host_id))
        .where(MODELS.c.promoted_at.is_not(None))
        .order_by(MODELS.c.id)
    )
    op.execute(sa.insert(activations).from_select(["host_id", "model_id", "at", "undone"], promoted))


def downgrade() -> None:
    """Drop both tables, and restore the reports without checksums; a damaged report becomes empty."""
    op.drop_table("quarantined_models")
    op.drop_table("activations")
    for name in REPORT_TABLES:
        _convert_reports(name, sealed=False)


def _convert_reports(table_name: str, *, sealed: bool) -> None:
    """Replace each report by its sealed or by its plain text."""
    connection = op.get_bind()
    table = sa.table(table_name, sa.column("id"), sa.column("report"))
    for row in connection.execute(sa.select(table.c.id, table.c.report)).all():
        text = seal(str(row.report)) if sealed else unseal(row.report) or "{}"
        connection.execute(sa.update(table).where(table.c.id == row.id).values(report=text))
