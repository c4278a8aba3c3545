"""Alembic environment: run the revisions on the connection of `storage.migrations.upgrade`."""

from __future__ import annotations

from alembic import context

from storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # The connection begins its transactions itself, so that DDL is rolled back with the rest on SQLite as well: a
    # migration that is killed half-way leaves the database as it was.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
