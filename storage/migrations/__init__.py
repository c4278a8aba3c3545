"""Schema migrations: the Alembic environment and the runner that applies it."""
