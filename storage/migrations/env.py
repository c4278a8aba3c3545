"""Alembic environment: execution of the revisions on the connection that `storage.migrations.upgrade` opens."""

from __future__ import annotations

from alembic import context

from storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # `storage.database` begins transactions itself, so that SQLite rolls back DDL, too: an interrupted migration
    # changes nothing.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
