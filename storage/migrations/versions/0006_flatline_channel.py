"""Standard name of the anomaly channel `flatline`, which was `stuck`."""

from __future__ import annotations

from alembic import op
from sqlalchemy import String, column, table, update

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ANOMALIES = table("anomalies", column("channel", String))


def upgrade() -> None:
    """Upgrade from 0005."""
    _rename("stuck", "flatline")


def downgrade() -> None:
    """Downgrade to 0005."""
    _rename("flatline", "stuck")


def _rename(old: str, new: str) -> None:
    """Rename the channel of all stored events."""
    op.execute(update(ANOMALIES).where(ANOMALIES.c.channel == old).values(channel=new))
