"""Alembic revisions, one file each; a released revision never changes."""
