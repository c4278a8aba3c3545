"""Alembic environment: runs the revisions over the connection of `storage.migrations.upgrade`."""

from __future__ import annotations

from alembic import context

from storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # The connection begins its own transactions, so that SQLite rolls back DDL as well: a killed migration changes
    # nothing.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
