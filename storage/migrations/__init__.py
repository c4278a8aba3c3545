"""Schema migrations: the Alembic environment, the revisions, and the runner that applies them."""
