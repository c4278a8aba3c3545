"""Alembic's revisions of the schema. Only `storage.migrate` runs them, in a process of its own."""
